// Counts the day's session starts (`session_start_limit`) in memory. Discord resets the token of a bot that uses them up.
// Discord: Gateway, "Session Start Limit".
import type { BudgetAnswer, Clock, IdentifyBudgetState, SessionStartLimit } from '@shardctl/core';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * What the last `GET /gateway/bot` returned, minus what was granted since. A start that a person requested may use everything;
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
	/** Granted and not yet sent: charged here, and unknown to Discord. */
	#held = 0;

	/** @param reserve Session starts that automatic restarts never use; at most a tenth of the day's total is kept. */
	constructor(clock: Clock, reserve: number) {
		this.#clock = clock;
		this.#reserve = reserve;
	}

	update(limit: SessionStartLimit): void {
		this.#total = limit.total;
		this.#remaining = Math.max(0, limit.remaining - this.#held);
		// 0 with starts already used would mean "now"; then only the next answer has the true reset.
		const unknown = limit.reset_after <= 0 && limit.remaining < limit.total;
		this.#resetsAt = this.#clock.monotonic() + (unknown ? dayMs : limit.reset_after);
		this.#maxConcurrency = limit.max_concurrency;
	}

	/** Charges one session start, whose IDENTIFY is about to be sent. */
	spend(): void {
		this.#renew();
		this.#granted++;
		this.#held++;
		this.#remaining = Math.max(0, this.#remaining - 1);
	}

	/** The IDENTIFY of a session start that was charged has been sent: Discord counts it from now on. */
	noteSent(): void {
		this.#held--;
	}

	/** The IDENTIFY of a session start that was charged will not be sent. */
	refund(): void {
		this.#renew();
		this.#held--;
		this.#remaining = Math.min(this.#total, this.#remaining + 1);
	}

	/** Whether `count` session starts may be used now. */
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
		this.#remaining = Math.max(0, this.#total - this.#held);
		this.#resetsAt = this.#clock.monotonic() + dayMs;
	}
}
