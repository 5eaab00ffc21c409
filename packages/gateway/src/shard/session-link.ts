// What a shard needs of the session with Discord that carries it.
import type { CloseCode } from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from '@shardctl/gateway-protocol';
import type { SavedSession, SessionTerms } from '../upstream/upstream-shard.js';

/** Why a worker's IDENTIFY is refused. */
export interface Refusal {
	close: CloseCode;
	detail: string;
}

/** The session as a later process can resume it. */
export interface Checkpoint {
	session: SavedSession;
	/** The shard count that it has identified with. */
	of: number;
	/** Position of an event = this + Discord's sequence number of it. */
	base: number;
}

export interface SessionLink {
	/** The shard id that Discord knows. */
	readonly id: number;
	/** What it was started with; undefined before. */
	readonly terms?: SessionTerms | undefined;
	/** Empty before the first READY. */
	readonly botId: string;
	/** Position of an event of the session = this + Discord's sequence number of it. */
	readonly base: number;
	/** Position through which the session has passed every event on to its shards. */
	readonly newest: number;
	/**
	 * Starts the session where there is none, and replaces it where it lacks intents of these terms. Resolves with whether it was
	 * replaced, or why it was not.
	 */
	ensure(terms: SessionTerms, shard: object): Promise<'unchanged' | 'upgraded' | Refusal>;
	/** Starts the session with these terms where it was never started. False when it was not, and there are no terms. */
	prepare(terms: SessionTerms | null): boolean;
	/** Resolves with the close code when Discord refuses the session for good, with undefined when the session stops. */
	refusal(): Promise<CloseCode | undefined>;
	/** Sends a request within Discord's limits, which all shards of the session share. `owner`: the worker's session that sent it. */
	request(request: ClientRequest, owner?: object): void;
	/** A session has one presence: the one that any of its shards set last. */
	showPresence(presence: IdentifyPayload['presence']): void;
	/** Drops what this worker's session or shard still waits for: requests that were not sent, more intents. */
	release(owner: object): void;
	/** Null while there is no session. */
	checkpoint(): Checkpoint | null;
}
