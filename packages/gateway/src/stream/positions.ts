// How far one consumer of a shard's log is. Positions are offsets in the log: they only grow, and may have gaps.
//
//   cursor ≤ sent ≤ newest    cursor: confirmed by the consumer
//                             sent:   went out, and goes out again if the connection breaks
//                             newest: received from Discord
//
// One exception: a worker that resumes after a restart of this process can be ahead of what Discord has sent again by then. `sent` is
// then greater than `newest` until Discord has caught up. Pure: it holds no log and knows no consumer.

/** What a reader may know of it. */
export type PositionsView = Pick<
	Positions,
	'cursor' | 'sent' | 'newest' | 'isAhead' | 'isUnconfirmed' | 'isSilent' | 'inFlightEvents' | 'inFlightBytes'
>;

export class Positions {
	#cursor = 0;
	#sent = 0;
	/** The last event that the consumer was given; what lies between it and `sent` was not for it. Never greater than `sent`. */
	#delivered = 0;
	#newest = 0;
	#inFlightEvents = 0;
	#inFlightBytes = 0;

	get cursor(): number {
		return this.#cursor;
	}

	get sent(): number {
		return this.#sent;
	}

	get newest(): number {
		return this.#newest;
	}

	/** Whether the consumer has events that Discord is still to send again. */
	get isAhead(): boolean {
		return this.#sent > this.#newest;
	}

	/** Whether something was sent that is not confirmed. */
	get isUnconfirmed(): boolean {
		return this.#sent > this.#cursor;
	}

	/** Whether nothing in flight was for the consumer, so that it has nothing to confirm. */
	get isSilent(): boolean {
		return this.#delivered <= this.#cursor && this.#sent > this.#cursor;
	}

	/** Events that were sent and are not confirmed. */
	get inFlightEvents(): number {
		return this.#inFlightEvents;
	}

	get inFlightBytes(): number {
		return this.#inFlightBytes;
	}

	/** Discord has sent everything through this position. */
	arrive(offset: number): void {
		this.#newest = offset;
	}

	/** The consumer's turn for an event has passed, whether the event was for it or not. */
	send(offset: number, bytes: number): void {
		this.#sent = offset;
		this.#inFlightEvents++;
		this.#inFlightBytes += bytes;
	}

	/** The event that was sent last was for the consumer, and it was given to it. */
	deliver(): void {
		this.#delivered = this.#sent;
	}

	/** Through which position a consumer that reports `seq` has everything. */
	confirmedBy(seq: number): number {
		return seq >= this.#delivered ? this.#sent : seq;
	}

	/** An event leaves the log, and the cursor moves to it. */
	pass(offset: number, bytes: number): void {
		this.#cursor = offset;
		if (offset > this.#sent) {
			this.#sent = offset;
			return;
		}
		this.#inFlightEvents = Math.max(0, this.#inFlightEvents - 1);
		this.#inFlightBytes = Math.max(0, this.#inFlightBytes - bytes);
	}

	/** Moves the cursor over positions without an event; nothing through there is left in the log. */
	settle(through: number): void {
		this.#cursor = Math.max(this.#cursor, Math.min(through, this.#sent, this.#newest));
	}

	/** Everything behind a position is to be sent again. @param inFlight what the log has from the cursor through there */
	rewind(position: number, inFlight: { events: number; bytes: number }): void {
		this.#sent = position;
		this.#delivered = Math.min(this.#delivered, position);
		this.#inFlightEvents = inFlight.events;
		this.#inFlightBytes = inFlight.bytes;
	}

	/** The consumer resumed with everything through `seq`, which may be more than Discord has sent again. */
	resumeAt(seq: number): void {
		if (seq <= this.#sent) return;
		this.#sent = seq;
		this.#delivered = seq;
	}

	/** Begins at a position, with nothing in flight. */
	moveTo(position: number): void {
		this.#cursor = position;
		this.#sent = position;
		this.#delivered = position;
		this.#inFlightEvents = 0;
		this.#inFlightBytes = 0;
	}
}
