// The gate before Discord: requests that count against the global limit wait here for a token, in fair turns between the workers.
import type { Clock, Timer } from '@shardctl/core';
import { FairQueue } from './fair-queue.js';
import type { Token, TokenSource } from './token-source.js';

interface Waiting {
	admit(token: Token): void;
}

export class GlobalGate {
	readonly #clock: Clock;
	readonly #tokens: TokenSource;
	readonly #queue = new FairQueue<number, Waiting>();
	/** Discord has said that the bot's limit is used up until then. */
	#closedUntilMs = 0;
	#timer: Timer | undefined;

	constructor({ clock, tokens }: { clock: Clock; tokens: TokenSource }) {
		this.#clock = clock;
		this.#tokens = tokens;
		tokens.onMore(() => this.#admit());
	}

	/** Requests that wait. */
	get size(): number {
		return this.#queue.size;
	}

	/** Resolves when the next request of this source may be sent; rejects with the signal's reason. */
	pass(source: number, signal: AbortSignal): Promise<Token> {
		return new Promise((resolve, reject) => {
			if (signal.aborted) {
				reject(signal.reason);
				return;
			}
			const onAbort = () => {
				this.#queue.remove(source, waiting);
				reject(signal.reason);
			};
			const waiting: Waiting = {
				admit: (token) => {
					signal.removeEventListener('abort', onAbort);
					resolve({
						settle: (nowMs) => {
							token.settle(nowMs);
							this.#admit();
						},
						giveBack: () => {
							token.giveBack();
							this.#admit();
						},
					});
				},
			};
			signal.addEventListener('abort', onAbort, { once: true });
			this.#queue.push(source, waiting);
			this.#admit();
		});
	}

	/** Discord has refused a request, because the limit of the bot is used up for this long. */
	closeFor(durationMs: number): void {
		this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#clock.monotonic() + durationMs);
		this.#admit();
	}

	/** Those that wait are left to their signals. */
	stop(): void {
		this.#pause();
		this.#tokens.stop();
	}

	#pause(): void {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#admit(): void {
		this.#pause();
		while (this.#queue.size > 0) {
			const nowMs = this.#clock.monotonic();
			const token = nowMs >= this.#closedUntilMs ? this.#tokens.take(nowMs, this.#queue.size) : undefined;
			if (!token) {
				const at = Math.max(this.#closedUntilMs, this.#tokens.nextAt(nowMs));
				this.#timer = this.#clock.setTimeout(() => this.#admit(), Math.max(1, Math.ceil(at - nowMs)));
				return;
			}
			this.#queue.shift()?.admit(token);
		}
	}
}
