// Who a shard's events go to: the seat is taken by one session of a worker at a time, and a standby can wait for it during a hand-over.
// The only writer of that. What goes out, and what becomes of events whose worker is gone, is the stream's decision.
//
//   vacant ──restore──▶ restored ──resume──▶ held or flowing            (held: not all shards of its worker were ready)
//   vacant ──admit────▶ presenting ──presented──▶ held ──ready, or late──▶ flowing    (presented: flowing at once where nothing holds it)
//   vacant ──promote──▶ presenting or flowing, as far as the standby is
//   held or flowing ──present again──▶ presenting                          (Discord has started another session)
//   any ──vacate──▶ vacant
//
// Two things are independent of the state and no states of their own, because each can begin and end in any of them: whether the session
// has a connection (the session's own knowledge), and whether the stream is paused. Only `flowing`, connected and not paused, lets events out.
import { type Clock, ShardctlError, type Timer } from '@shardctl/core';
import type { WorkerSession } from '../downstream/worker-session.js';
import type { WorkerConsumer } from './worker-consumer.js';

/** Without a report that all shards of a worker are ready, events flow anyway after this time. */
export const maxHoldMs = 10_000;
/** The same for a client that would handle them out of order. On a busy machine a bot may take longer than the above to be ready. */
export const longestHoldMs = 120_000;

export type SeatState =
	/** No worker. Events wait. */
	| { name: 'vacant' }
	/** The worker of an earlier process, which may have events that this one never received. Nothing was sent to it yet; it has to resume. */
	| { name: 'restored'; consumer: WorkerConsumer; held: boolean }
	/** It is being shown READY and its guilds, or a correction of them. No event goes out. `held`: afterwards it is held, not flowing. */
	| { name: 'presenting'; consumer: WorkerConsumer; held: boolean }
	/** It was shown everything, but not all shards of its worker are ready. No event goes out. */
	| { name: 'held'; consumer: WorkerConsumer }
	/** Events go out. */
	| { name: 'flowing'; consumer: WorkerConsumer };

export type SeatName = SeatState['name'];

export const seatTransitions: Readonly<Record<SeatName, readonly SeatName[]>> = {
	vacant: ['restored', 'presenting', 'flowing'],
	restored: ['held', 'flowing', 'vacant'],
	presenting: ['held', 'flowing', 'vacant'],
	held: ['flowing', 'presenting', 'vacant'],
	flowing: ['presenting', 'vacant'],
};

export interface WorkerSeatOptions {
	clock: Clock;
	/** The hold is over because readiness was not reported in time. */
	onHoldExpired(): void;
}

export class WorkerSeat {
	readonly #options: WorkerSeatOptions;
	#state: SeatState = { name: 'vacant' };
	#standby: WorkerConsumer | null = null;
	#paused = false;
	/** The newest incarnation of the worker that was ready: it is not held when it identifies again. */
	#readyIncarnation = 0;
	/** Set while the worker is held, or will be once it was shown everything. */
	#holdTimer: Timer | undefined;

	constructor(options: WorkerSeatOptions) {
		this.#options = options;
	}

	get name(): SeatName {
		return this.#state.name;
	}

	get consumer(): WorkerConsumer | null {
		return this.#state.name === 'vacant' ? null : this.#state.consumer;
	}

	get standby(): WorkerConsumer | null {
		return this.#standby;
	}

	/** Who gets events at this moment. */
	get recipient(): WorkerConsumer | null {
		const state = this.#state;
		return state.name === 'flowing' && !this.#paused && state.consumer.accepting ? state.consumer : null;
	}

	get status(): 'none' | 'connected' | 'away' | 'paused' {
		const { consumer } = this;
		if (!consumer) return 'none';
		if (!consumer.accepting) return 'away';
		return this.#paused ? 'paused' : 'connected';
	}

	/** The consumer in the seat, or the standby, that this session is. */
	of(session: WorkerSession): WorkerConsumer | null {
		if (this.consumer?.session === session) return this.consumer;
		return this.#standby?.session === session ? this.#standby : null;
	}

	/** The worker of an earlier process takes the vacant seat. With `hold` it is held from its resume until all of its shards are ready. */
	restore(consumer: WorkerConsumer, { hold }: { hold: boolean }): void {
		if (!hold) this.#noteReady(consumer.incarnation);
		this.#enter({ name: 'restored', consumer, held: hold });
	}

	/** A worker that has identified takes the vacant seat. With `hold` it is held until all of its shards are ready. */
	admit(consumer: WorkerConsumer, { hold }: { hold: boolean }): void {
		const held = hold && consumer.incarnation > this.#readyIncarnation;
		this.#enter({ name: 'presenting', consumer, held });
		if (held) this.#limitHold(consumer);
	}

	/** The worker has something to be shown before more events flow to it. */
	presentAgain(): void {
		const state = this.#state;
		if (state.name !== 'held' && state.name !== 'flowing') throw impossible(state.name, 'presenting');
		this.#enter({ name: 'presenting', consumer: state.consumer, held: state.name === 'held' });
	}

	/** Continues what the worker and the standby are shown. */
	continuePresentations(): void {
		this.#standby?.continuePresentation();
		this.consumer?.continuePresentation();
		const state = this.#state;
		if (state.name === 'presenting' && state.consumer.isPresented)
			this.#enter({ name: state.held ? 'held' : 'flowing', consumer: state.consumer });
	}

	/** All shards of this incarnation of a worker are ready. Returns whether the one in the seat was waiting for that. */
	noteReady(incarnation: number): boolean {
		this.#noteReady(incarnation);
		if (this.consumer?.incarnation !== incarnation) return false;
		return this.#endHold();
	}

	/** The client in the seat has resumed its session. */
	resume(): void {
		if (this.#state.name !== 'restored') return;
		const { consumer, held } = this.#state;
		this.#enter({ name: held ? 'held' : 'flowing', consumer });
		if (held) this.#limitHold(consumer);
	}

	/** The worker is gone. Returns it, and whether it never resumed here. */
	vacate(): { consumer: WorkerConsumer; wasRestored: boolean } | null {
		const state = this.#state;
		if (state.name === 'vacant') return null;
		this.#options.clock.clearTimeout(this.#holdTimer);
		this.#enter({ name: 'vacant' });
		return { consumer: state.consumer, wasRestored: state.name === 'restored' };
	}

	/** A worker that is to take over waits beside the seat. */
	setStandby(consumer: WorkerConsumer): void {
		this.#standby = consumer;
	}

	/** The standby takes the vacant seat, and the stream is no longer paused. It is not held: its shards were ready before. */
	promote(): void {
		const consumer = this.#standby;
		this.#standby = null;
		this.#paused = false;
		if (consumer?.isPresented) this.#enter({ name: 'flowing', consumer });
		else if (consumer) this.#enter({ name: 'presenting', consumer, held: false });
	}

	/** The worker keeps the seat. */
	abandonHandover(): void {
		this.#standby = null;
		this.#paused = false;
	}

	/** The standby's session is over. The stream stays paused: the hand-over is not. */
	removeStandby(): void {
		this.#standby = null;
	}

	/** No event goes out until {@link promote}, {@link abandonHandover} or {@link unpause}. */
	pause(): void {
		this.#paused = true;
	}

	unpause(): void {
		this.#paused = false;
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#holdTimer);
	}

	#noteReady(incarnation: number): void {
		this.#readyIncarnation = Math.max(this.#readyIncarnation, incarnation);
	}

	#limitHold({ session }: WorkerConsumer): void {
		const limitMs = session.swapsEarlyEvents ? longestHoldMs : maxHoldMs;
		this.#holdTimer = this.#options.clock.setTimeout(() => {
			if (this.#endHold()) this.#options.onHoldExpired();
		}, limitMs);
	}

	#endHold(): boolean {
		this.#options.clock.clearTimeout(this.#holdTimer);
		const state = this.#state;
		if (state.name === 'held') this.#enter({ name: 'flowing', consumer: state.consumer });
		else if ((state.name === 'presenting' || state.name === 'restored') && state.held) this.#state = { ...state, held: false };
		else return false;
		return true;
	}

	#enter(to: SeatState): void {
		const from = this.#state;
		const isTaken = from.name !== 'vacant' && to.name !== 'vacant' && from.consumer !== to.consumer;
		if (isTaken || !seatTransitions[from.name].includes(to.name)) throw impossible(from.name, to.name);
		this.#state = to;
	}
}

function impossible(from: SeatName, to: SeatName): ShardctlError {
	return new ShardctlError('INTERNAL', `the seat of a worker cannot change from ${from} to ${to}`);
}
