// The session with Discord that a shard has, and, while more is wanted of it than Discord allows a running session, the one that is
// to replace it. Both run side by side until Discord has accepted the new one: a refusal leaves the old one untouched.
import { allIntents, type ClientRequest, type IdentifyPayload } from '@shardctl/gateway-protocol';
import type { SavedSession, SessionTerms } from './upstream-shard.js';
import { UpstreamShard, type UpstreamShardOptions } from './upstream-shard.js';

/** What became of a wish for other terms: a close code is Discord's refusal. */
export type RenewalOutcome = 'accepted' | 'called off' | { refusedWith: number };

interface Candidate {
	upstream: UpstreamShard;
	settle(outcome: RenewalOutcome): void;
}

export class UpstreamSessions {
	readonly #options: UpstreamShardOptions;
	#present: UpstreamShard;
	#candidate: Candidate | null = null;

	constructor(options: UpstreamShardOptions) {
		this.#options = options;
		this.#present = this.#create();
	}

	get terms(): SessionTerms | undefined {
		return this.#present.terms;
	}

	/** The close code with which Discord refused the present session for good. */
	get refusedWith(): number | undefined {
		return this.#present.refusedWith;
	}

	get status(): UpstreamShard['status'] {
		return this.#present.status;
	}

	get saved(): SavedSession | null {
		return this.#present.saved;
	}

	get requests(): UpstreamShard['requests'] {
		return this.#present.requests;
	}

	/** Which of these intents the present session does not have; 0 before there is one. */
	missing(intents: number): number {
		return intents & ~(this.terms?.intents ?? allIntents);
	}

	/** Starts a session, unless there is one. One that was refused is tried again: whoever comes says that the reason is mended. */
	start(terms: SessionTerms): void {
		if (this.#present.refusedWith !== undefined) this.#present = this.#create();
		this.#present.start(terms);
	}

	resume(session: SavedSession, seq: number): void {
		this.#present.resume(session, seq);
	}

	request(request: ClientRequest, owner: object | null = null): void {
		this.#present.request(request, owner);
	}

	showPresence(presence: IdentifyPayload['presence']): void {
		this.#present.showPresence(presence);
	}

	/** Starts a session on other terms, which takes the place of the present one when its READY is there. */
	renew(terms: SessionTerms): Promise<RenewalOutcome> {
		this.callOff();
		return new Promise((settle) => {
			const upstream = this.#create();
			this.#candidate = { upstream, settle };
			upstream.start(terms);
		});
	}

	/** Nobody wants the session any more that is to replace the present one. */
	callOff(): void {
		const candidate = this.#candidate;
		if (!candidate) return;
		this.#candidate = null;
		void candidate.upstream.stop({ keepSession: false });
		candidate.settle('called off');
	}

	async stop(options: { keepSession: boolean }): Promise<void> {
		this.callOff();
		await this.#present.stop(options);
	}

	#create(): UpstreamShard {
		const { onDispatch, onReady, onResumed, onClosed, onSessionLost, onRefused, onPing, onRequestsDropped } = this.#options;
		const whenPresent =
			<Args extends unknown[]>(listener: (...args: Args) => void) =>
			(...args: Args) => {
				if (upstream === this.#present) listener(...args);
			};
		const upstream: UpstreamShard = new UpstreamShard({
			...this.#options,
			onResumed: whenPresent(onResumed),
			onClosed: whenPresent(onClosed),
			onSessionLost: whenPresent(onSessionLost),
			onPing: whenPresent(onPing),
			onRequestsDropped: whenPresent(onRequestsDropped),
			onReady: whenPresent(onReady),
			onDispatch: (dispatch, seq) => {
				if (dispatch.t === 'READY' && this.#candidate?.upstream === upstream) this.#replace(this.#candidate);
				whenPresent(onDispatch)(dispatch, seq);
			},
			onRefused: (code) => {
				if (this.#candidate?.upstream === upstream) {
					this.#candidate.settle({ refusedWith: code });
					this.#candidate = null;
				} else whenPresent(onRefused)(code);
			},
		});
		return upstream;
	}

	/** From its READY on the new session's events count; Discord sends the same to both. */
	#replace({ upstream, settle }: Candidate): void {
		const before = this.#present;
		this.#present = upstream;
		this.#candidate = null;
		void before.stop({ keepSession: false });
		settle('accepted');
	}
}
