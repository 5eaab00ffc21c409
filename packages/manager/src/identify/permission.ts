// Permission to send one IDENTIFY: a slot of the coordinator and a piece of the day's budget, together.
import { type Clock, type IdentifyBudgetState, sleep } from '@shardctl/core';
import type { IdentifyBudget } from './budget.js';
import type { IdentifyCoordinator, IdentifySlot } from './coordinator.js';

/** A budget that is used up is looked at again after this time at the least and at the most, whatever was said of its reset. */
export const budgetRetryMs = { min: 1000, max: 300_000 };

export interface IdentifyPermissionOptions {
	clock: Clock;
	coordinator: IdentifyCoordinator;
	budget: IdentifyBudget;
	/** Discord has refused for good: no IDENTIFY may follow. */
	refused(): boolean;
	/** Asks Discord how the budget stands. Never rejects. */
	refresh(): Promise<void>;
}

/**
 * Waits for a slot, then spends a piece of the budget. Where the budget must not be spent, the slot goes back and the wait
 * starts again when the budget resets. After a refusal it never resolves: the worker that asks is being ended. Rejects only
 * when `signal` aborts.
 */
export async function acquireIdentify(
	{ clock, coordinator, budget, refused, refresh }: IdentifyPermissionOptions,
	{ shardId, automatic, onDeferred }: { shardId: number; automatic: boolean; onDeferred(state: IdentifyBudgetState): void },
	signal: AbortSignal,
): Promise<IdentifySlot> {
	for (let attempt = 1; ; attempt++) {
		const slot = await coordinator.acquire(shardId, signal);
		if (refused()) {
			slot.release();
			await aborted(signal);
		}
		const answer = budget.check(1, { automatic });
		if (answer.allowed) {
			budget.spend();
			return slot;
		}
		slot.release();
		if (attempt === 1) onDeferred(budget.state());
		await sleep(clock, Math.min(Math.max(answer.retryInMs, budgetRetryMs.min), budgetRetryMs.max), signal);
		await refresh();
	}
}

function aborted(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		if (signal.aborted) reject(signal.reason);
		else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
	});
}
