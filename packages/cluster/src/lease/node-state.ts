// What a node knows about its right to act: the lease, the engine, the sessions it holds, and what it has seen of other nodes. Pure: it
// sends nothing and starts no timer. The lease is compared with the clock in `mayAct`, on every event and every (re)connect; a timer is
// not enough, because a busy process that was stopped past its lease handles thousands of events before its timers run.
//
// Names in [brackets] are the experiments of the model (test/model) that show what breaks without the rule.
import type { Clock } from '@shardctl/core';
import type { Timings } from './timings.js';

/**
 * `acting`: releases events while the lease is valid. `giving`: a hand-over was sent and not answered; silent until the session is
 * either gone or taken back with a new epoch. `waiting`: the lease had ended before the engine was replaced; silent until the quiet
 * period is over and the table gives a new epoch.
 */
export type Hold = 'acting' | 'giving' | 'waiting';

export interface HeldSession {
	readonly session: number;
	readonly epoch: number;
	readonly hold: Hold;
}

export interface Renewal {
	/** Rises with each renewal of a node. */
	readonly number: number;
	/** Monotonic. */
	readonly sentAt: number;
	/** Wall clock minus monotonic clock, when it was sent. */
	readonly offset: number;
	readonly identity: string;
	readonly ripe: boolean;
	readonly unlapsed: boolean;
	readonly sessions: readonly HeldSession[];
}

export type SessionAnswer = number | 'wait' | 'none';

export type RenewalReply =
	/** The sender knew another engine. */
	| { readonly kind: 'engine'; readonly identity: string }
	| {
			readonly kind: 'renewed';
			readonly identity: string;
			/** Left of the quiet period. */
			readonly quietMs: number;
			readonly version: number;
			/** The cluster knows who the node is. */
			readonly registered: boolean;
			readonly sessions: ReadonlyMap<number, SessionAnswer>;
			/** Node → number of its renewals. */
			readonly renewals: ReadonlyMap<string, number>;
	  };

/** What an answer has changed. */
export interface StateChange {
	/** An answer that a later one has overtaken changes nothing. */
	readonly overtaken: boolean;
	/** The engine is another than before: the renewal has to be sent again. */
	readonly newEngine: boolean;
	readonly granted: readonly HeldSession[];
	/** Sessions that belong to another node now, with the last epoch here. */
	readonly lost: readonly HeldSession[];
}

interface Holding {
	epoch: number;
	hold: Hold;
}

interface Observation {
	renewals: number;
	/** Monotonic. */
	since: number;
}

const unchanged: StateChange = { overtaken: false, newEngine: false, granted: [], lost: [] };

export class NodeState {
	readonly node: string;
	readonly #clock: Clock;
	readonly #timings: Timings;
	#lastNumber = 0;
	#lastHeard = 0;
	/** The lease: `until` is monotonic, counted from when the renewal was sent [receipt]; `offset` as the renewal had it. */
	#lease: { until: number; offset: number } | undefined;
	#identity = '';
	#identitySince = 0;
	#observing = false;
	/** Monotonic: since when every answer has had the renewals of all nodes that are not in `#observed` as none. */
	#othersSince = 0;
	readonly #observed = new Map<string, Observation>();
	readonly #held = new Map<number, Holding>();
	/** Session → the highest epoch that this node has released: none at or below it is ever held again [late-grant]. */
	readonly #released = new Map<number, number>();

	constructor({ node, clock, timings }: { node: string; clock: Clock; timings: Timings }) {
		this.node = node;
		this.#clock = clock;
		this.#timings = timings;
	}

	/** The engine as this node knows it; every script carries it. Empty before the first answer. */
	get identity(): string {
		return this.#identity;
	}

	/** Has known the engine for the quiet period, on its own clock. */
	get ripe(): boolean {
		return this.#identity !== '' && this.#clock.monotonic() - this.#identitySince >= this.#timings.quietMs;
	}

	/** What is left of the lease, in ms; 0 while it is over or in doubt. */
	get leaseMs(): number {
		const lease = this.#lease;
		if (!lease) return 0;
		const now = this.#clock.monotonic();
		// The monotonic clock stands still while a virtual machine is suspended; then the wall clock has advanced more [frozen-vm].
		if (Math.abs(this.#offset(now) - lease.offset) > this.#timings.doubtMs) {
			this.#lease = undefined;
			return 0;
		}
		return Math.max(0, lease.until - now);
	}

	get muted(): boolean {
		return this.leaseMs === 0;
	}

	/** Whether events of the session may be released, and its connection opened, at this moment. To be asked for each of them. */
	mayAct(session: number): boolean {
		return this.#held.get(session)?.hold === 'acting' && this.leaseMs > 0;
	}

	holding(session: number): HeldSession | undefined {
		const held = this.#held.get(session);
		return held && { session, ...held };
	}

	get sessions(): HeldSession[] {
		return [...this.#held].map(([session, held]) => ({ session, ...held }));
	}

	/** For a test that compares states. */
	lastReleased(session: number): number | undefined {
		return this.#released.get(session);
	}

	beginRenewal(): Renewal {
		const sentAt = this.#clock.monotonic();
		return {
			number: ++this.#lastNumber,
			sentAt,
			offset: this.#offset(sentAt),
			identity: this.#identity,
			ripe: this.ripe,
			unlapsed: !this.muted,
			sessions: this.sessions,
		};
	}

	/** A renewal has no answer: an outage that this node shares is not held against others [outage-flaps]. */
	unanswered(): void {
		this.#observing = false;
	}

	hear(renewal: Renewal, reply: RenewalReply): StateChange {
		// Dropped when a later one has overtaken it [late-answer, overtaken-answer].
		if (renewal.number <= this.#lastHeard) return { ...unchanged, overtaken: true };
		this.#lastHeard = renewal.number;
		const newEngine = reply.identity !== this.#identity;
		if (newEngine) {
			this.#identity = reply.identity;
			this.#identitySince = this.#clock.monotonic();
			this.#observing = false;
		}
		if (reply.kind === 'engine') return { ...unchanged, newEngine };
		this.#observe(reply.renewals);
		const until = renewal.sentAt + this.#timings.validMs;
		if (!this.#lease || until > this.#lease.until) this.#lease = { until, offset: renewal.offset };
		return { ...this.#adopt(renewal.sessions, reply.sessions), newEngine };
	}

	/**
	 * The answer to a takeover that this node sent for itself. Dropped when a renewal that was sent after it has been heard, which said
	 * all there is to say.
	 */
	hearGrant(session: number, epoch: number, sentAfter: number): HeldSession | undefined {
		if (this.#lastHeard > sentAfter || !this.#mayAdopt(session, epoch)) return undefined;
		this.#held.set(session, { epoch, hold: 'acting' });
		return { session, epoch, hold: 'acting' };
	}

	/** Number of the last renewal that was sent: for {@link hearGrant}. */
	get lastRenewal(): number {
		return this.#lastNumber;
	}

	/** The hand-over is about to be sent: from here on the node is silent for the session. Undefined where it may not act. */
	giveAway(session: number): HeldSession | undefined {
		const held = this.#held.get(session);
		if (!held || !this.mayAct(session)) return undefined;
		held.hold = 'giving';
		return { session, ...held };
	}

	/**
	 * The hand-over was refused by an answer, so it has had no effect and will have none. Only with the answer in hand: without one the
	 * next renewal takes back by raising the epoch [takeback-blind, takeback-asks].
	 */
	keep(session: number, epoch: number): void {
		const held = this.#held.get(session);
		if (held?.epoch === epoch && held.hold === 'giving') held.hold = 'acting';
	}

	/** The session is no longer this node's: handed over, released, or ended here. */
	drop(session: number): HeldSession | undefined {
		const held = this.#held.get(session);
		if (!held) return undefined;
		this.#held.delete(session);
		this.#released.set(session, Math.max(this.#released.get(session) ?? 0, held.epoch));
		return { session, ...held };
	}

	/** The number of renewals after which another node was silent for long enough to be taken over from; undefined where it was not. */
	silentSince(node: string): number | undefined {
		const seen = this.#observed.get(node);
		if (!this.#observing) return undefined;
		// A node of which Redis has no renewal at all: it has lost them, and the node has not been back.
		const { renewals, since } = seen ?? { renewals: 0, since: this.#othersSince };
		return this.#clock.monotonic() - since >= this.#timings.observeMs ? renewals : undefined;
	}

	/** In how many ms {@link silentSince} of another node is defined if nothing is heard of it; undefined while no answer can say so. */
	silentInMs(node: string): number | undefined {
		if (!this.#observing) return undefined;
		const since = this.#observed.get(node)?.since ?? this.#othersSince;
		return Math.max(0, since + this.#timings.observeMs - this.#clock.monotonic());
	}

	#offset(monotonic: number): number {
		return this.#clock.now() - monotonic;
	}

	#observe(renewals: ReadonlyMap<string, number>): void {
		const now = this.#clock.monotonic();
		for (const [node, count] of renewals) {
			const seen = this.#observed.get(node);
			if (!this.#observing || seen?.renewals !== count) this.#observed.set(node, { renewals: count, since: now });
		}
		if (!this.#observing) this.#othersSince = now;
		for (const node of this.#observed.keys()) {
			if (renewals.has(node)) continue;
			this.#observed.delete(node);
			this.#othersSince = now;
		}
		this.#observing = true;
	}

	/** `sent`: what the renewal named. A session may have changed since; then the answer is not about it. */
	#adopt(sent: readonly HeldSession[], answers: ReadonlyMap<number, SessionAnswer>): StateChange {
		const granted: HeldSession[] = [];
		const lost: HeldSession[] = [];
		const named = new Map(sent.map(({ session, epoch }) => [session, epoch]));
		for (const [session, answer] of answers) {
			const held = this.#held.get(session);
			const isAbout = held !== undefined && held.epoch === named.get(session);
			if (answer === 'wait') {
				if (isAbout && held.hold === 'acting') held.hold = 'waiting';
			} else if (answer === 'none') {
				const dropped = isAbout ? this.drop(session) : undefined;
				if (dropped) lost.push(dropped);
			} else if (answer === held?.epoch) {
				if (held.hold === 'waiting') held.hold = 'acting';
			} else if (this.#mayAdopt(session, answer)) {
				this.#held.set(session, { epoch: answer, hold: 'acting' });
				granted.push({ session, epoch: answer, hold: 'acting' });
			}
		}
		return { overtaken: false, newEngine: false, granted, lost };
	}

	#mayAdopt(session: number, epoch: number): boolean {
		return epoch > (this.#held.get(session)?.epoch ?? this.#released.get(session) ?? 0);
	}
}
