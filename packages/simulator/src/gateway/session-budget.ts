// How many sessions may still be started today (`session_start_limit`). A fixed window that begins with its first start.
// Discord: Gateway, "Session Start Limit Object"; when the window begins is not documented.

export interface SessionBudgetOptions {
	total: number;
	/** What is left in the first window (default all). */
	remaining?: number;
	windowMs: number;
	/** What is left of the first window; without it the window begins with the first start. */
	resetAfterMs?: number;
	nowMs: number;
}

export class SessionBudget {
	#total: number;
	#remaining: number;
	readonly #windowMs: number;
	#resetAtMs: number | undefined;

	constructor({ total, remaining = total, windowMs, resetAfterMs, nowMs }: SessionBudgetOptions) {
		this.#total = total;
		this.#remaining = remaining;
		this.#windowMs = windowMs;
		this.#resetAtMs = resetAfterMs === undefined ? undefined : nowMs + resetAfterMs;
	}

	read(nowMs: number): { total: number; remaining: number; resetAfterMs: number } {
		this.#roll(nowMs);
		return {
			total: this.#total,
			remaining: this.#remaining,
			resetAfterMs: this.#resetAtMs === undefined ? 0 : Math.ceil(this.#resetAtMs - nowMs),
		};
	}

	/** Takes one start; `false` when none is left. */
	take(nowMs: number): boolean {
		this.#roll(nowMs);
		if (this.#remaining <= 0) return false;
		this.#remaining--;
		this.#resetAtMs ??= nowMs + this.#windowMs;
		return true;
	}

	/** Sets what is left, as a fault or for another bot's size. */
	set(
		{
			total,
			remaining,
			resetAfterMs,
		}: { total?: number | undefined; remaining?: number | undefined; resetAfterMs?: number | undefined },
		nowMs: number,
	): void {
		this.#total = total ?? this.#total;
		this.#remaining = remaining ?? Math.min(this.#remaining, this.#total);
		if (resetAfterMs !== undefined) this.#resetAtMs = nowMs + resetAfterMs;
	}

	#roll(nowMs: number): void {
		if (this.#resetAtMs === undefined || nowMs < this.#resetAtMs) return;
		this.#remaining = this.#total;
		this.#resetAtMs = undefined;
	}
}

/** Starts a day for a bot of this size. Discord: Gateway, "Sharding for Large Bots". */
export function dailySessionStarts(guildCount: number): number {
	return guildCount > 150_000 ? Math.max(2000, Math.floor((guildCount / 1000) * 5)) : 1000;
}
