// The tokens of one node of a cluster: a part of the bot's limit, which all nodes divide among themselves through the manager and Redis. A
// part is lent for a time; within it, it is a window like that of a process alone. So a request costs no call, and calls are few. The state:
//
//   idle ─demand─▶ lent ◀──────▶ overdue (no answer in time: at most this node's share) ─longer than any part is lent─▶ away
//    ▲              │                                                                                               (the share)
//    └─no demand────┘            Each answer leads back to `lent`. It is not stored: it follows from the times below.
import type { Clock, LimitPart, LimitWish, Timer } from '@shardctl/core';
import type { Token, TokenSource } from './token-source.js';
import { TokenWindow } from './token-window.js';

export interface SharedTokensOptions {
	clock: Clock;
	/** Of the whole bot. */
	perSecond: number;
	/** Asks for a part. Does not reject where Redis is away. */
	ask(wish: LimitWish): Promise<LimitPart>;
}

/** More than is wanted now, so that the next requests need not ask first. */
const ahead = 5;
const retryMs = 500;
/** Without a request for this long, the part is given back. What waits asks again sooner; see {@link SharedTokens.nextAt}. */
const idleMs = 700;
/** Before the first answer: as often as one node alone may ask. */
const firstIntervalMs = 200;
/** The longest time for which a part is lent, before the first answer. */
const firstLentMs = 3000;
/** A part that is lent no longer may have been used up to its end, and that counts until a second after its answer. */
const countedMs = 2000;

export class SharedTokens implements TokenSource {
	readonly #options: SharedTokensOptions;
	readonly #window = new TokenWindow(0);
	#onMore = () => {};
	/** What was lent, and until when. */
	#part = 0;
	#validUntilMs = Number.NEGATIVE_INFINITY;
	#lentMs = firstLentMs;
	/** While a call is under way: no more than what it says that this node may be using. */
	#kept = Number.POSITIVE_INFINITY;
	#nodes = 1;
	#intervalMs = firstIntervalMs;
	/** When the first call of a series found Redis away. */
	#awaySinceMs: number | undefined;
	#waiting = 0;
	#lastTakenMs = Number.NEGATIVE_INFINITY;
	#askedAtMs = Number.NEGATIVE_INFINITY;
	#asking = false;
	#timer: Timer | undefined;
	#stopped = false;

	constructor(options: SharedTokensOptions) {
		this.#options = options;
	}

	take(nowMs: number, waiting: number): Token | undefined {
		this.#window.resize(this.#allowed(nowMs));
		const token = this.#window.take(nowMs);
		this.#waiting = token ? waiting - 1 : waiting;
		this.#lastTakenMs = nowMs;
		this.#planToAsk(nowMs);
		return token;
	}

	nextAt(nowMs: number): number {
		this.#window.resize(this.#allowed(nowMs));
		const changes = [this.#window.nextAt(nowMs), this.#validUntilMs, this.#shareFromMs].filter((at) => at > nowMs);
		return this.#window.nextAt(nowMs) <= nowMs ? nowMs : Math.min(nowMs + retryMs, ...changes);
	}

	onMore(listener: () => void): void {
		this.#onMore = listener;
	}

	/** Gives back what is not in use. */
	stop(): void {
		if (this.#stopped) return;
		this.#stopped = true;
		const { clock, ask } = this.#options;
		clock.clearTimeout(this.#timer);
		const keep = this.#window.inUse(clock.monotonic());
		if (this.#part > 0 || keep > 0) void ask({ want: 0, keep }).catch(() => {});
	}

	/** Of the limit, for each of the nodes that were last known. */
	get #share(): number {
		return Math.max(1, Math.floor(this.#options.perSecond / this.#nodes));
	}

	/** From when on no other node can have more than its share: nothing was lent since Redis was away. */
	get #shareFromMs(): number {
		return this.#awaySinceMs === undefined ? Number.POSITIVE_INFINITY : this.#awaySinceMs + this.#lentMs + countedMs;
	}

	#allowed(nowMs: number): number {
		if (nowMs < this.#validUntilMs) return Math.min(this.#part, this.#kept);
		if (nowMs >= this.#shareFromMs) return Math.min(this.#share, this.#kept);
		return Math.min(this.#part, this.#share, this.#kept);
	}

	#isWanted(nowMs: number): boolean {
		return nowMs - this.#lastTakenMs < idleMs;
	}

	/** One call at a time, and not more often than the nodes may together. */
	#planToAsk(nowMs: number): void {
		if (this.#asking || this.#stopped || this.#timer) return;
		if (!this.#isWanted(nowMs) && this.#part === 0 && this.#window.inUse(nowMs) === 0) return;
		const inMs = this.#askedAtMs + (this.#awaySinceMs === undefined ? this.#intervalMs : retryMs) - nowMs;
		this.#timer = this.#options.clock.setTimeout(() => void this.#ask(), Math.max(0, Math.ceil(inMs)));
	}

	async #ask(): Promise<void> {
		const { clock, perSecond, ask } = this.#options;
		this.#timer = undefined;
		const sentAtMs = clock.monotonic();
		const using = this.#window.inUse(sentAtMs);
		const want = this.#isWanted(sentAtMs) ? Math.min(perSecond, using + this.#waiting + ahead) : 0;
		// It stays this node's until the next call, so that it need not be known when this one takes effect.
		const keep = Math.max(using, Math.min(want, this.#allowed(sentAtMs)));
		this.#asking = true;
		this.#askedAtMs = sentAtMs;
		this.#kept = keep;
		const part = await ask({ want, keep }).catch((): LimitPart => ({ tokens: null, nodes: this.#nodes }));
		this.#asking = false;
		this.#kept = Number.POSITIVE_INFINITY;
		this.#nodes = Math.max(1, part.nodes);
		if (part.tokens === null) {
			this.#part = Math.min(this.#part, keep);
			this.#awaySinceMs ??= clock.monotonic();
		} else {
			this.#part = part.tokens;
			this.#lentMs = part.lentMs;
			this.#validUntilMs = sentAtMs + part.lentMs;
			this.#intervalMs = part.intervalMs;
			this.#awaySinceMs = undefined;
		}
		this.#planToAsk(clock.monotonic());
		this.#onMore();
	}
}
