// How many requests of a bot may be sent now: decisions only, no timers. Discord counts a request at a moment that only Discord knows,
// between its sending and its answer, and it is not known where Discord's second begins. So a token is free again a second after its request
// was *answered*: then no second of Discord's, wherever it begins, has more requests than the limit.
import type { Token, TokenSource } from './token-source.js';

/** Of Discord. */
const windowMs = 1000;
/** For the resolution of timers and of the header. */
const marginMs = 2;
/** A request without an answer for this long was counted all the same. */
const countedWithinMs = 1000;

export class TokenWindow implements TokenSource {
	#perSecond: number;
	/** Tokens whose requests have no answer yet → when they were taken; oldest first. */
	readonly #taken = new Map<Token, number>();
	/** When each of the others is free again; oldest first. */
	#freeAt: number[] = [];

	constructor(perSecond: number) {
		this.#perSecond = perSecond;
	}

	/** Tokens that are taken, and those that are not free again yet. */
	inUse(nowMs: number): number {
		this.#release(nowMs);
		return this.#taken.size + this.#freeAt.length;
	}

	/** What is beyond a smaller limit is not given out again. */
	resize(perSecond: number): void {
		this.#perSecond = perSecond;
	}

	/** It has no other reason for more than its own. */
	onMore(): void {}

	stop(): void {}

	take(nowMs: number): Token | undefined {
		if (this.inUse(nowMs) >= this.#perSecond) return undefined;
		const token: Token = {
			settle: (settledAtMs) => {
				if (this.#taken.delete(token)) this.#freeAt.push(settledAtMs + windowMs + marginMs);
			},
			giveBack: () => void this.#taken.delete(token),
		};
		this.#taken.set(token, nowMs);
		return token;
	}

	nextAt(nowMs: number): number {
		if (this.inUse(nowMs) < this.#perSecond) return nowMs;
		const [oldest = Number.POSITIVE_INFINITY] = this.#taken.values();
		return Math.min(this.#freeAt[0] ?? Number.POSITIVE_INFINITY, oldest + countedWithinMs);
	}

	#release(nowMs: number): void {
		for (const [token, takenAtMs] of this.#taken) {
			if (takenAtMs + countedWithinMs > nowMs) break;
			token.settle(nowMs);
		}
		const firstTaken = this.#freeAt.findIndex((at) => at > nowMs);
		this.#freeAt = firstTaken < 0 ? [] : this.#freeAt.slice(firstTaken);
	}
}
