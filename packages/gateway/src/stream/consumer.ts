// Who a shard's events are delivered to, as the feed sees it. A connected worker is one; a queue beside it can be another. The contract
// suite is `test/support/consumer-contract.ts`: every implementation runs it.
import type { LogEntry } from '../buffer/event-log.js';

/**
 * Takes the events of a shard one by one, in order. It confirms them by position, at a time of its own, through {@link Feed.acknowledge}:
 * a position confirms every event up to it. What it has not confirmed when it disappears is sent again, or counted as lost.
 */
export interface StreamConsumer {
	/** Whether it can take events now. While it cannot, they wait in the log. */
	readonly accepting: boolean;
	/** An event has arrived, whose turn may be later. */
	noteArrival?(entry: LogEntry): void;
	/** Whether an event is for it at all. One that is not needs no confirmation. Called once, right before the event's turn. */
	wants(entry: LogEntry): boolean;
	/** Takes an event. Does not throw, and does not wait: the feed's window bounds what is in flight. */
	deliver(entry: LogEntry): void;
	/** Events through this position have given way in a full log: those that it has not passed on are not to be. */
	forget?(through: number): void;
	/** Asks it to confirm what it has. It may refuse to be asked too often, unless it is to answer `now`. Returns whether it was asked. */
	probe(options?: { now?: boolean }): boolean;
}
