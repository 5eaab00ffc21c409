// The session with Discord that a shard has, and, while more is wanted of it than Discord allows a running session, the one that is
// to replace it. Both run side by side until Discord has accepted the new one, and a little longer: a refusal leaves the old one
// untouched, and what was on its way on the old one's connection still comes.
import { allIntents, type Timer } from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from '@shardctl/gateway-protocol';
import type { Dispatch } from '../state/raw.js';
import { Takeover } from './session-overlap.js';
import type { SavedSession, SessionTerms } from './upstream-shard.js';
import { UpstreamShard, type UpstreamShardOptions } from './upstream-shard.js';

/** What became of a wish for other terms: a close code is Discord's refusal. */
export type RenewalOutcome = 'accepted' | 'called off' | { refusedWith: number };

/** So long after a new session has begun, which is with the last of its guilds, the one before is listened to. */
const hearOutMs = 1000;

interface Candidate {
	upstream: UpstreamShard;
	settle(outcome: RenewalOutcome): void;
	takeover: Takeover;
	/** It may have identified, so Discord may send events to both. */
	identified: boolean;
	/** Runs from its READY on, anew with each guild, until it takes over. */
	timer: Timer | undefined;
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

	/** Starts a session on other terms, which takes the place of the present one soon after it has begun. */
	renew(terms: SessionTerms): Promise<RenewalOutcome> {
		this.callOff();
		return new Promise((settle) => {
			const upstream = this.#create();
			this.#candidate = { upstream, settle, takeover: new Takeover(), identified: false, timer: undefined };
			upstream.start(terms);
		});
	}

	/** Nobody wants the session any more that is to replace the present one. */
	callOff(): void {
		const candidate = this.#candidate;
		if (!candidate) return;
		this.#candidate = null;
		this.#options.clock.clearTimeout(candidate.timer);
		void candidate.upstream.stop({ keepSession: false });
		candidate.settle('called off');
	}

	async stop(options: { keepSession: boolean }): Promise<void> {
		this.callOff();
		await this.#present.stop(options);
	}

	#create(): UpstreamShard {
		const { onReady, onResumed, onClosed, onSessionLost, onRefused, onPing, onRequestsDropped } = this.#options;
		const whenPresent =
			<Args extends unknown[]>(listener: (...args: Args) => void) =>
			(...args: Args) => {
				if (upstream === this.#present) listener(...args);
			};
		const candidate = () => (this.#candidate?.upstream === upstream ? this.#candidate : null);
		const upstream: UpstreamShard = new UpstreamShard({
			...this.#options,
			onResumed: whenPresent(onResumed),
			onClosed: whenPresent(onClosed),
			onSessionLost: whenPresent(onSessionLost),
			onPing: whenPresent(onPing),
			onRequestsDropped: whenPresent(onRequestsDropped),
			waitForIdentify: async (signal) => {
				await this.#options.waitForIdentify(signal);
				const waiting = candidate();
				if (waiting) waiting.identified = true;
			},
			onReady: () => {
				if (candidate() !== null || upstream === this.#present) onReady();
			},
			onDispatch: (dispatch, seq) => {
				const waiting = candidate();
				if (waiting) this.#hold(waiting, dispatch, seq);
				else if (upstream === this.#present) this.#pass(dispatch, seq);
			},
			onRefused: (code) => {
				const waiting = candidate();
				if (waiting) {
					this.#candidate = null;
					this.#options.clock.clearTimeout(waiting.timer);
					waiting.settle({ refusedWith: code });
				} else whenPresent(onRefused)(code);
			},
		});
		return upstream;
	}

	#pass(dispatch: Dispatch, seq: number): void {
		if (this.#candidate?.identified) this.#candidate.takeover.hear(dispatch);
		this.#options.onDispatch(dispatch, seq);
	}

	#hold(candidate: Candidate, dispatch: Dispatch, seq: number): void {
		const { clock } = this.#options;
		candidate.takeover.hold(dispatch, seq);
		if (dispatch.t !== 'READY' && dispatch.t !== 'GUILD_CREATE') return;
		clock.clearTimeout(candidate.timer);
		candidate.timer = clock.setTimeout(() => this.#replace(candidate), hearOutMs);
	}

	/**
	 * From now on the new session's events count. All that was held is said in one turn, before anybody compares the state that its
	 * guilds make with what the worker has: what the worker has heard already has to be in it.
	 */
	#replace({ upstream, settle, takeover }: Candidate): void {
		const before = this.#present;
		this.#present = upstream;
		this.#candidate = null;
		for (const { dispatch, seq } of takeover.held()) this.#options.onDispatch(dispatch, seq);
		void before.stop({ keepSession: false });
		settle('accepted');
	}
}
