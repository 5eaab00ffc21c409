// The interface between the protocol and what is behind it: a simulated world, or a resident gateway's upstream session.
import type { CloseCode } from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from './client-payloads.js';

import type { GatewaySession } from './session.js';
import type { SessionEnd } from './session-store.js';

/** What is known of a connection before and after it identifies. */
export interface ConnectionInfo {
	readonly id: number;
	readonly remoteAddress: string;
	/** The Host header: the name under which the client found the server. */
	readonly host: string;
	/** Path of the URL that the client connected to. */
	readonly path: string;
	readonly version: number;
	readonly compression: 'none' | 'zlib-stream' | 'zstd-stream';
}

export type IdentifyAnswer =
	| { accept: true }
	/** Op 9: the client may try again on this connection. */
	| { accept: false; invalidSession: { resumable: boolean }; detail?: string }
	| { accept: false; close: CloseCode; detail?: string };

export interface GatewayBackend {
	/** Whether the token is good now; asked before every IDENTIFY and RESUME. */
	authenticate(token: string): boolean;
	/** The privileged intents that this bot was granted, as bits. */
	grantedIntents(): number;
	/**
	 * Decides on an IDENTIFY whose form, token, intents and shard numbers are already found good. While a promise is
	 * pending the connection heartbeats; the answer is dropped when the client leaves first.
	 */
	identify(identify: IdentifyPayload, connection: ConnectionInfo): IdentifyAnswer | Promise<IdentifyAnswer>;
	/** The session is attached: dispatch READY, then the rest. */
	sessionStarted(session: GatewaySession, connection: ConnectionInfo): void;
	/** RESUMED was sent. */
	sessionResumed?(session: GatewaySession, connection: ConnectionInfo): void;
	/** The connection of a session is gone, and the session waits for a RESUME. */
	sessionDetached?(session: GatewaySession): void;
	/** The client of a session says which event is the newest that it has; null before the first. */
	heartbeat?(session: GatewaySession, seq: number | null): void;
	/** The session cannot be resumed any more. */
	sessionEnded(session: GatewaySession, end: SessionEnd): void;
	/** An operation 3, 4, 8, 31 or 43 of a live session. */
	request(session: GatewaySession, request: ClientRequest): void;
}
