// Requests for intents that the running session with Discord does not have. Workers of several shards may make the same request at
// the same time, as in a deploy: one new session serves all requests that it covers, and it is cancelled when the last of them is
// withdrawn.
import type { RenewalOutcome, UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';

interface Pending {
	intents: number;
	outcome: Promise<RenewalOutcome>;
}

export interface IntentUpgradeOptions {
	upstream: Pick<UpstreamSessions, 'missing' | 'terms' | 'renew' | 'cancelRenewal'>;
	/** Discord has started a session with these additional intents. */
	onGranted(added: number): void;
}

export class IntentUpgrade {
	readonly #options: IntentUpgradeOptions;
	/** Owners of requests without an outcome. */
	readonly #owners = new Set<object>();
	#pending: Pending | null = null;

	constructor(options: IntentUpgradeOptions) {
		this.#options = options;
	}

	/** Resolves when Discord has decided, or when the owner has {@link withdraw withdrawn} the request. */
	async request(terms: SessionTerms, owner: object): Promise<RenewalOutcome> {
		const { upstream } = this.#options;
		this.#owners.add(owner);
		try {
			// A renewal under way that lacks some of the intents finishes first; its owners would only have to ask again.
			while (this.#pending && (terms.intents & ~this.#pending.intents) !== 0) await this.#pending.outcome;
			if (!this.#owners.has(owner)) return 'cancelled';
			if (upstream.missing(terms.intents) === 0) return 'accepted';
			this.#pending ??= this.#begin(terms);
			return await this.#pending.outcome;
		} finally {
			this.#owners.delete(owner);
		}
	}

	/** The owner does not need its request any more. */
	withdraw(owner: object): void {
		if (this.#owners.delete(owner) && this.#owners.size === 0) this.#options.upstream.cancelRenewal();
	}

	#begin(terms: SessionTerms): Pending {
		const { upstream, onGranted } = this.#options;
		const added = upstream.missing(terms.intents);
		const intents = terms.intents | (upstream.terms?.intents ?? 0);
		const outcome = upstream.renew({ ...terms, intents }).then((decided) => {
			this.#pending = null;
			if (decided === 'accepted') onGranted(added);
			return decided;
		});
		return { intents, outcome };
	}
}
