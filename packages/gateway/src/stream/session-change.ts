// A new session of Discord's on its way to replace the present one: it gathers a state of its own, and becomes the present one when that is
// complete and the worker has confirmed everything from before it. Until then no event of the new session goes out.
import { type Clock, type Delivery, intentBits } from '@shardctl/core';
import type { Dispatch, RawObject } from '../state/raw.js';
import type { DeferredState } from './deferred-state.js';
import type { Feed } from './feed.js';
import { differences } from './presentation.js';
import { SessionHydration } from './session-hydration.js';
import type { WorkerSeat } from './worker-seat.js';

export interface SessionChangeOptions {
	clock: Clock;
	delivery: Delivery;
	feed: Feed;
	seat: WorkerSeat;
	state: DeferredState;
	/** The new state is complete. */
	onComplete(): void;
}

export class SessionChange {
	readonly #options: SessionChangeOptions;
	#hydration: SessionHydration | null = null;

	constructor(options: SessionChangeOptions) {
		this.#options = options;
	}

	get isPending(): boolean {
		return this.#hydration !== null;
	}

	/** A session has begun, with READY at this position. One that was on its way is forgotten. */
	begin(ready: RawObject, offset: number, intents: number): void {
		const { clock, feed, onComplete } = this.#options;
		this.cancel();
		feed.arrive(offset);
		feed.block(offset);
		const expectGuilds = (intents & intentBits.GUILDS) !== 0;
		this.#hydration = new SessionHydration({ ready, offset, expectGuilds, clock, onComplete });
	}

	/** Takes an event that concerns the new state alone. Returns whether it did. */
	take(dispatch: Dispatch): boolean {
		const hydration = this.#hydration;
		if (!hydration) return false;
		if (hydration.take(dispatch)) return true;
		if (!dispatch.repeated) return false;
		hydration.state.apply(dispatch);
		return true;
	}

	/**
	 * Makes the new state the present one if its time has come, and has the worker shown what is different. Returns whether it did.
	 * Nothing may be in flight then, so what needs no confirmation any more is committed.
	 */
	complete(): boolean {
		const hydration = this.#hydration;
		if (!hydration?.complete) return false;
		const { delivery, feed, seat, state } = this.#options;
		const { log, positions } = feed;
		const worker = seat.consumer;
		const needsNoConfirmation = worker ? !log.oldest && positions.sent < hydration.offset : delivery === 'at-most-once';
		if (needsNoConfirmation) feed.commit(positions.sent);
		// Events of a session that never had a complete state belong to nothing.
		while (!state.peek && log.oldest && log.oldest.offset < hydration.offset) log.shift();
		const { oldest } = log;
		if ((oldest && oldest.offset < hydration.offset) || seat.name === 'presenting') return false;
		const before = state.current;
		// The guilds followed READY and are in the state: it is before the next event that is none of them.
		const offset = oldest ? oldest.offset - 1 : positions.newest;
		const changes = worker && before ? differences(before, hydration.state, worker.session.intents) : [];
		this.#hydration = null;
		feed.unblock();
		feed.moveTo(offset);
		state.adopt(hydration.state);
		if (!worker || changes.length === 0) return true;
		worker.present({ offset, events: changes.values() });
		seat.presentAgain();
		seat.continuePresentations();
		return true;
	}

	cancel(): void {
		this.#hydration?.cancel();
		this.#hydration = null;
	}
}
