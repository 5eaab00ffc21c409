// The context of a shard in @discordjs/ws: the session, and permission for IDENTIFY. It keeps sessions that the library would drop,
// because a RESUME costs nothing and an IDENTIFY is counted.

import type { IContextFetchingStrategy, SessionInfo } from '@discordjs/ws';
import { closeCodeMeaning } from '@shardctl/core';

/** The status of a shard in the library (`WebSocketShardStatus`). */
export const shardStatus = { idle: 0, connecting: 1, resuming: 2, ready: 3 } as const;

export interface SessionKeeperOptions {
	options: IContextFetchingStrategy['options'];
	/** The status of the shard now. */
	status(): number;
	/** How long to wait before the next attempt to connect. */
	beforeConnect(): Promise<void>;
	/** Resolves when IDENTIFY may go out; rejects only when the signal aborts. */
	waitForIdentify(signal: AbortSignal): Promise<void>;
	onSessionLost(): void;
}

export class SessionKeeper implements IContextFetchingStrategy {
	readonly options: IContextFetchingStrategy['options'];
	readonly #options: SessionKeeperOptions;
	/** Its sequence is outdated; use {@link session}. */
	#session: SessionInfo | null = null;
	/** Discord's sequence number of the newest event. */
	#sequence = 0;
	#closeCode: number | undefined;
	#frozen = false;

	constructor(options: SessionKeeperOptions) {
		this.options = options.options;
		this.#options = options;
	}

	get session(): SessionInfo | null {
		return this.#session && { ...this.#session, sequence: this.#sequence };
	}

	/** Takes over the session of an earlier process. */
	restore(session: SessionInfo): void {
		this.#session = session;
		this.#sequence = session.sequence;
	}

	/** An event arrived. The library only sees the one with which a session `begins`. */
	noteEvent(seq: number, { begins }: { begins: boolean }): void {
		this.#sequence = begins ? seq : Math.max(seq, this.#sequence);
	}

	/** Nothing changes the session any more: this process ends, and the next one resumes it. */
	freeze(): void {
		this.#frozen = true;
	}

	noteClose(code: number): void {
		this.#closeCode = code;
	}

	noteHello(): void {
		this.#closeCode = undefined;
	}

	/**
	 * Called before each connect, while the shard is idle, where it may take time; and for each heartbeat, where it must not.
	 */
	retrieveSessionInfo(): SessionInfo | null | Promise<SessionInfo | null> {
		if (this.#options.status() !== shardStatus.idle) return this.session;
		return this.#options.beforeConnect().then(() => this.session);
	}

	updateSessionInfo(_shardId: number, session: SessionInfo | null): void {
		if (this.#frozen) return;
		if (session === null && !this.#isInvalid()) return;
		const lost = session === null && this.#session !== null;
		this.#session = session;
		if (lost) this.#options.onSessionLost();
	}

	waitForIdentify(_shardId: number, signal: AbortSignal): Promise<void> {
		return this.#options.waitForIdentify(signal);
	}

	/**
	 * The library also clears the session after every failed connect, and after closes that may have kept it: a RESUME shows which. Discord
	 * ends a session by op 9 or by a close code, on a connection that is past HELLO.
	 */
	#isInvalid(): boolean {
		if (this.#options.status() === shardStatus.connecting) return false;
		return this.#closeCode === undefined || !closeCodeMeaning(this.#closeCode).keepsSession;
	}
}
