// What @discordjs/ws asks of its surroundings: where the session is, and when IDENTIFY may go out. It keeps sessions where the
// library would throw them away, because a RESUME costs nothing and an IDENTIFY is counted.

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
	/** Its sequence is not kept up to date; {@link session} is right. */
	#session: SessionInfo | null = null;
	/** Discord's number of the newest event. */
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

	/** An event has come; the library does not see it, unless a session `begins` with it. */
	noteEvent(seq: number, { begins }: { begins: boolean }): void {
		this.#sequence = begins ? seq : Math.max(seq, this.#sequence);
	}

	/** From now on nothing changes the session: the process ends, and the next one takes it over. */
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
	 * Asked before each connect (the shard is idle then), where an answer may take its time, and for heartbeats, where it must not.
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
	 * The library clears the session for every failed connect, too, and for closes after which it may be there still: a RESUME
	 * finds out. What Discord says comes on a connection that has got further: op 9, or a close code that ends the session.
	 */
	#isInvalid(): boolean {
		if (this.#options.status() === shardStatus.connecting) return false;
		return this.#closeCode === undefined || !closeCodeMeaning(this.#closeCode).keepsSession;
	}
}
