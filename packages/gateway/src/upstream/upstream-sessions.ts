// The session with Discord of one shard id, and, while workers need intents that a running session cannot add, the new session that
// will replace it. Both run side by side until Discord has accepted the new one, and a little longer: a refusal leaves the present
// session untouched, and events that are still in flight on its connection arrive. Before the change the present session's events are held
// until the new one has sent everything that was delivered, so that none is delivered twice, and the state of the new one contains them.
import { allIntents, type Timer } from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from '@shardctl/gateway-protocol';
import type { Dispatch } from '../state/raw.js';
import { SessionOverlap } from './session-overlap.js';
import { isShared } from './shard-overlap.js';
import type { SavedSession, SessionTerms } from './upstream-shard.js';
import { UpstreamShard, type UpstreamShardOptions } from './upstream-shard.js';

/** The result of a renewal; a close code is Discord's refusal. */
export type RenewalOutcome = 'accepted' | 'cancelled' | { refusedWith: number };

/** How long both sessions run side by side after the last guild of the new one. */
const overlapMs = 1000;
/** How often it is checked meanwhile whether an event that was delivered is still awaited from the new session. */
const checkMs = 100;

interface Held {
	dispatch: Dispatch;
	seq: number;
}

interface Candidate {
	upstream: UpstreamShard;
	settle(outcome: RenewalOutcome): void;
	overlap: SessionOverlap;
	/** It may have identified, so Discord may send events to both. */
	identified: boolean;
	/** Started at READY, and again at each guild; the change begins when it fires. */
	timer: Timer | undefined;
	/** What the present session has received since the change began; undefined before. */
	held: Held[] | undefined;
}

/** A session that is given up has no reader any more. */
const closedAnyway = (): void => {};

export class UpstreamSessions {
	readonly #options: UpstreamShardOptions;
	#present: UpstreamShard;
	#candidate: Candidate | null = null;
	/** Connected for a session that is still another process's. */
	#approach: { session: SavedSession; upstream: UpstreamShard } | undefined;

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

	/** The present session's connection over time. */
	get connection(): UpstreamShard['connection'] {
		return this.#present.connection;
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

	/** Starts a session unless there is one. A refused session is tried again: an IDENTIFY means that the cause may be fixed. */
	start(terms: SessionTerms): void {
		if (this.#present.refusedWith !== undefined) this.#present = this.#create();
		this.#present.start(terms);
	}

	/** Connects for a session that is still another process's; {@link resume} follows when it is this one's. */
	approach(session: SavedSession): void {
		this.#endApproach();
		const upstream = this.#create();
		this.#approach = { session, upstream };
		upstream.approach(session);
	}

	resume(session: SavedSession, seq: number): void {
		const approach = this.#approach;
		// Discord may have started another session meanwhile, or given it another address.
		if (approach && JSON.stringify(approach.session) === JSON.stringify(session)) {
			this.#approach = undefined;
			this.#present = approach.upstream;
		} else this.#endApproach();
		this.#present.resume(session, seq);
	}

	request(request: ClientRequest, owner: object | null = null): void {
		this.#present.request(request, owner);
	}

	showPresence(presence: IdentifyPayload['presence']): void {
		this.#present.showPresence(presence);
	}

	/** See {@link UpstreamShard.stopReading}. */
	stopReading(): void {
		this.#present.stopReading();
	}

	continueReading(): void {
		this.#present.continueReading();
	}

	/** Starts a session on other terms, which replaces the present one some time after its last guild. */
	renew(terms: SessionTerms): Promise<RenewalOutcome> {
		this.cancelRenewal();
		return new Promise((settle) => {
			const upstream = this.#create();
			this.#candidate = { upstream, settle, overlap: new SessionOverlap(), identified: false, timer: undefined, held: undefined };
			upstream.start(terms);
		});
	}

	/** Stops the session that was to replace the present one. */
	cancelRenewal(): void {
		const candidate = this.#candidate;
		if (!candidate) return;
		this.#candidate = null;
		this.#options.clock.clearTimeout(candidate.timer);
		candidate.upstream.stop({ keepSession: false }).catch(closedAnyway);
		this.#release(candidate);
		candidate.settle('cancelled');
	}

	async stop(options: { keepSession: boolean }): Promise<void> {
		this.cancelRenewal();
		this.#endApproach();
		await this.#present.stop(options);
	}

	#endApproach(): void {
		this.#approach?.upstream.stop({ keepSession: true }).catch(closedAnyway);
		this.#approach = undefined;
	}

	get #nowMs(): number {
		return this.#options.clock.monotonic();
	}

	#create(): UpstreamShard {
		const { onReady, onResumed, onClosed, onSessionLost, onRefused, onPing, onRequestsDropped, onRequestsNormal } = this.#options;
		const whenPresent =
			<Args extends unknown[]>(listener: (...args: Args) => void) =>
			(...args: Args) => {
				if (upstream === this.#present) listener(...args);
			};
		const candidate = () => (this.#candidate?.upstream === upstream ? this.#candidate : null);
		const upstream: UpstreamShard = new UpstreamShard({
			...this.#options,
			onResumed: whenPresent(onResumed),
			onClosed: (close) => {
				if (upstream === this.#approach?.upstream) this.#endApproach();
				else whenPresent(onClosed)(close);
			},
			onSessionLost: whenPresent(onSessionLost),
			onPing: whenPresent(onPing),
			onRequestsDropped: whenPresent(onRequestsDropped),
			onRequestsNormal: whenPresent(onRequestsNormal),
			waitForIdentify: async (signal) => {
				await this.#options.waitForIdentify(signal);
				const waiting = candidate();
				if (waiting) waiting.identified = true;
			},
			onReady: (terms) => {
				if (candidate() !== null || upstream === this.#present) onReady(terms);
			},
			onDispatch: (dispatch, seq) => {
				const waiting = candidate();
				if (waiting) this.#defer(waiting, dispatch, seq);
				else if (upstream === this.#present) this.#pass(dispatch, seq);
			},
			onRefused: (code) => {
				const waiting = candidate();
				if (waiting) {
					this.#candidate = null;
					this.#options.clock.clearTimeout(waiting.timer);
					this.#release(waiting);
					waiting.settle({ refusedWith: code });
				} else if (upstream === this.#approach?.upstream) this.#endApproach();
				else whenPresent(onRefused)(code);
			},
		});
		return upstream;
	}

	#pass(dispatch: Dispatch, seq: number): void {
		const candidate = this.#candidate;
		// After READY the present session is another one, whose numbers begin again.
		if (candidate && dispatch.t === 'READY') {
			this.#release(candidate);
			candidate.overlap.restart(this.#nowMs);
		}
		if (candidate?.held) {
			candidate.held.push({ dispatch, seq });
			return;
		}
		if (candidate?.identified) candidate.overlap.seen(dispatch, this.#nowMs);
		this.#options.onDispatch(dispatch, seq);
	}

	/** The present session continues. */
	#release(candidate: Candidate): void {
		const held = candidate.held ?? [];
		candidate.held = undefined;
		for (const { dispatch, seq } of held) this.#pass(dispatch, seq);
	}

	#defer(candidate: Candidate, dispatch: Dispatch, seq: number): void {
		const { clock } = this.#options;
		const isStart = candidate.overlap.defer(dispatch, seq, this.#nowMs);
		if (isStart) {
			this.#release(candidate);
			clock.clearTimeout(candidate.timer);
			candidate.timer = clock.setTimeout(() => this.#change(candidate), overlapMs);
		} else if (candidate.overlap.isFull) {
			this.#options.onOverlapFull?.();
			this.#replace(candidate);
		} else if (candidate.held && !candidate.overlap.awaitsRepeats(this.#nowMs)) this.#change(candidate);
	}

	/**
	 * Replaces the present session as soon as the new one has sent everything that was delivered; until then nothing more is delivered. It
	 * takes no longer than an event can be awaited, unless the new session has lost its connection, or Discord has just ended the present one
	 * and started it again: then the present one continues.
	 */
	#change(candidate: Candidate): void {
		const { clock } = this.#options;
		clock.clearTimeout(candidate.timer);
		const settlesInMs = candidate.overlap.settlesInMs(this.#nowMs);
		const isPossible = candidate.upstream.status === 'ready' && settlesInMs === 0;
		if (!isPossible) this.#release(candidate);
		else candidate.held ??= [];
		if (isPossible && !candidate.overlap.awaitsRepeats(this.#nowMs)) this.#replace(candidate);
		else
			candidate.timer = clock.setTimeout(() => this.#change(candidate), isPossible ? checkMs : Math.max(overlapMs, settlesInMs));
	}

	/**
	 * From here on the new session's events count. All deferred events are passed on in one turn, before the state of its guilds is
	 * compared with what the worker has: that state must contain every event that the worker has received.
	 */
	#replace({ upstream, settle, overlap, timer, held = [] }: Candidate): void {
		const before = this.#present;
		this.#options.clock.clearTimeout(timer);
		// The new session sends the others itself.
		for (const { dispatch, seq } of held) if (!isShared(dispatch)) this.#options.onDispatch(dispatch, seq);
		this.#present = upstream;
		this.#candidate = null;
		for (const { dispatch, seq } of overlap.deferred()) this.#options.onDispatch(dispatch, seq);
		before.stop({ keepSession: false }).catch(closedAnyway);
		settle('accepted');
	}
}
