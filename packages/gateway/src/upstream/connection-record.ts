// What is known of one session's connection to Discord over time: since when it is up or down, how often it was tried, when it is tried
// next, and how it ended last. It decides nothing.
import { type Clock, type GatewaySessionStats, limitRemedy } from '@shardctl/core';

export type ConnectionFacts = Pick<GatewaySessionStats, 'since' | 'tries' | 'nextTryAt' | 'lastClose' | 'lastEventAt'>;

export class ConnectionRecord {
	readonly #clock: Clock;
	#isUp = false;
	#facts: ConnectionFacts = { since: null, tries: 0, nextTryAt: null, lastClose: null, lastEventAt: null };
	/** Why the present connection is about to close, where its socket reported an error. */
	#socketError: string | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get facts(): ConnectionFacts {
		return { ...this.#facts };
	}

	/** Why the connection is about to close; undefined where no error was reported. */
	get socketError(): string | undefined {
		return this.#socketError;
	}

	/** The next attempt begins after this wait. */
	waiting(delayMs: number): void {
		const now = this.#clock.now();
		this.#socketError = undefined;
		this.#facts.since ??= now;
		this.#facts.tries++;
		this.#facts.nextTryAt = delayMs > 0 ? now + delayMs : null;
	}

	/** The attempt has begun. */
	trying(): void {
		this.#facts.nextTryAt = null;
	}

	/** The session is ready. */
	ready(): void {
		this.#isUp = true;
		this.#facts.since = this.#clock.now();
		this.#facts.tries = 0;
	}

	/** An event of Discord was received. */
	event(): void {
		this.#facts.lastEventAt = this.#clock.now();
	}

	failed(error: unknown): void {
		const message = error instanceof Error && error.message !== '' ? error.message : String(error);
		const remedy = limitRemedy(message);
		this.#socketError = remedy === undefined ? message : `${message}; ${remedy}`;
	}

	closed({ code, reason }: { code: number; reason: string }): void {
		const at = this.#clock.now();
		if (this.#isUp) this.#facts.since = at;
		this.#isUp = false;
		// 1006 means that no frame closed the connection: where its error is known, that is the reason.
		this.#facts.lastClose = { code: code === 1006 && this.#socketError !== undefined ? null : code, reason, at };
	}
}
