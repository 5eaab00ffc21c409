// Guards the day's session starts (`session_start_limit`): Discord resets the token of a bot that uses them up.
// Discord: Gateway, "Session Start Limit".
import type { Clock, GatewayInfo, IdentifyBudgetState } from '@shardctl/core';

const dayMs = 24 * 60 * 60 * 1000;

/** Whether some identifies may be spent, and if not, from when. */
export type BudgetAnswer = { allowed: true } | { allowed: false; retryInMs: number; resetAt: number };

/**
 * What the last `GET /gateway/bot` said, minus what was granted since. A start that a person asked for may spend everything;
 * automatic restarts leave the reserve alone, so that there is always enough left to start by hand.
 */
export class IdentifyBudget {
	readonly #clock: Clock;
	readonly #reserve: number;
	#total = 0;
	#remaining = 0;
	#resetsAt = 0;
	#maxConcurrency = 1;
	#granted = 0;

	/** @param reserve Identifies that automatic restarts never touch; at most a tenth of the day's total is kept. */
	constructor(clock: Clock, reserve: number) {
		this.#clock = clock;
		this.#reserve = reserve;
	}

	update({ session_start_limit: limit }: GatewayInfo): void {
		this.#total = limit.total;
		this.#remaining = limit.remaining;
		// 0 with starts already used would mean "now"; then only the next answer can tell.
		const unknown = limit.reset_after <= 0 && limit.remaining < limit.total;
		this.#resetsAt = this.#clock.monotonic() + (unknown ? dayMs : limit.reset_after);
		this.#maxConcurrency = limit.max_concurrency;
	}

	/** Counts one IDENTIFY that is about to go out. */
	spend(): void {
		this.#renew();
		this.#granted++;
		this.#remaining = Math.max(0, this.#remaining - 1);
	}

	/** Whether `count` identifies may be spent now. */
	check(count: number, { automatic }: { automatic: boolean }): BudgetAnswer {
		this.#renew();
		const floor = automatic ? this.reserve : 0;
		if (this.#remaining - count >= floor) return { allowed: true };
		const retryInMs = Math.max(0, this.#resetsAt - this.#clock.monotonic());
		return { allowed: false, retryInMs, resetAt: this.#clock.now() + retryInMs };
	}

	get reserve(): number {
		return Math.min(this.#reserve, Math.floor(this.#total / 10));
	}

	state(): IdentifyBudgetState {
		this.#renew();
		return {
			total: this.#total,
			remaining: this.#remaining,
			resetAt: Math.round(this.#clock.now() + Math.max(0, this.#resetsAt - this.#clock.monotonic())),
			maxConcurrency: this.#maxConcurrency,
			granted: this.#granted,
		};
	}

	#renew(): void {
		if (this.#clock.monotonic() < this.#resetsAt) return;
		this.#remaining = this.#total;
		this.#resetsAt = this.#clock.monotonic() + dayMs;
	}
}
