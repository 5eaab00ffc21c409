// What a node does with the sessions that the cluster gives to it. The manager implements it with gateway processes and workers; the
// tests with fakes.
import type { HeldSession } from '../lease/node-state.js';

export interface SessionHost {
	/**
	 * The node owns the session with this epoch: it starts from the record, or continues where it was paused. Before each event that is
	 * released, and each (re)connect to Discord, it asks `mayAct`. Called again with a higher epoch when the session was taken back.
	 */
	own(session: HeldSession, record: string | undefined): void;
	/**
	 * The session belongs to another node, or to none. What is buffered is dropped: it is above the saved sequence, and the next owner
	 * receives it again. The connection to Discord never closes with 1000 or 1001, which would end the session that the other node has.
	 */
	disown(session: HeldSession): void;
	/** The lease is not confirmed: keeps connections and heartbeats, and releases nothing. Between `muted` and `unmuted` nothing is lost. */
	muted(): void;
	unmuted(): void;
	/** The session moves here: everything is made ready but the connection. Rejects where that is not possible; it is tried again. */
	prepare(session: number, signal: AbortSignal): Promise<void>;
	/**
	 * The session moves away: stops releasing, drains, saves, closes its connection with 4200, and resolves with the record for the next
	 * owner. `own` undoes all of it when the hand-over does not happen.
	 */
	handOver(session: HeldSession, signal: AbortSignal): Promise<string>;
}
