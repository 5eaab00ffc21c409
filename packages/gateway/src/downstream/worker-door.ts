// What the local gateway asks of the shard behind it.
import type { ClientRequest, IdentifyAnswer, IdentifyPayload, SessionOptions } from '@shardctl/gateway-protocol';
import type { WorkerSession } from './worker-session.js';

export interface WorkerDoor {
	/** Makes the session of a worker whose IDENTIFY was accepted. */
	createSession(options: SessionOptions): WorkerSession;
	/** Decides on an IDENTIFY. `incarnation`: of the worker's process; undefined for a client on another path. */
	identify(identify: IdentifyPayload, incarnation: number | undefined): Promise<IdentifyAnswer>;
	sessionStarted(session: WorkerSession, incarnation: number | undefined): void;
	sessionResumed(session: WorkerSession): void;
	/** The connection is gone; the session can be resumed. */
	sessionDetached(session: WorkerSession): void;
	/** The session is over for good. */
	sessionEnded(session: WorkerSession): void;
	/** The client reports the newest event that it has; null before the first. */
	heartbeat(session: WorkerSession, seq: number | null): void;
	request(session: WorkerSession, request: ClientRequest): void;
}
