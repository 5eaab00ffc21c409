// The wish for intents that a running session with Discord does not have. The workers of several shards may have it at the same time,
// as in a deploy: one new session serves all whose intents it has, and it is called off when none of them wants it any more.
import type { RenewalOutcome, UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';

interface Pending {
	intents: number;
	outcome: Promise<RenewalOutcome>;
}

export interface IntentsWishOptions {
	upstream: Pick<UpstreamSessions, 'missing' | 'terms' | 'renew' | 'callOff'>;
	/** Discord has started a session that has these, too. */
	onGranted(missing: number): void;
}

export class IntentsWish {
	readonly #options: IntentsWishOptions;
	/** Whoever waits for an outcome. */
	readonly #askers = new Set<object>();
	#pending: Pending | null = null;

	constructor(options: IntentsWishOptions) {
		this.#options = options;
	}

	/** Resolves when Discord has decided, or when the asker was {@link callOff called off}. */
	async ask(terms: SessionTerms, asker: object): Promise<RenewalOutcome> {
		const { upstream } = this.#options;
		this.#askers.add(asker);
		try {
			// One under way that lacks some is let finish: those who wait for it would only ask again.
			while (this.#pending && (terms.intents & ~this.#pending.intents) !== 0) await this.#pending.outcome;
			if (!this.#askers.has(asker)) return 'called off';
			if (upstream.missing(terms.intents) === 0) return 'accepted';
			this.#pending ??= this.#begin(terms);
			return await this.#pending.outcome;
		} finally {
			this.#askers.delete(asker);
		}
	}

	/** Nobody waits any more for what this one asked. */
	callOff(asker: object): void {
		if (this.#askers.delete(asker) && this.#askers.size === 0) this.#options.upstream.callOff();
	}

	#begin(terms: SessionTerms): Pending {
		const { upstream, onGranted } = this.#options;
		const missing = upstream.missing(terms.intents);
		const intents = terms.intents | (upstream.terms?.intents ?? 0);
		const outcome = upstream.renew({ ...terms, intents }).then((decided) => {
			this.#pending = null;
			if (decided === 'accepted') onGranted(missing);
			return decided;
		});
		return { intents, outcome };
	}
}
