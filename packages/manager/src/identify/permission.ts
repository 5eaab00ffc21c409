// Waits for permission to send one IDENTIFY, also when the day's budget is used up meanwhile.
import {
	aborted,
	type BudgetRefusal,
	type Clock,
	type IdentifyBudgetState,
	type IdentifyCoordinator,
	type IdentifySlot,
	type ShardctlError,
	sleep,
} from '@shardctl/core';

/** After a refusal of the budget, the next attempt is made after at least `min` and at most `max`, whatever its reset time is. */
const budgetRetryMs = { min: 1000, max: 300_000 };

/** How long to wait before the budget is looked at again. */
export function budgetRetryDelayMs({ retryInMs }: BudgetRefusal): number {
	return Math.min(Math.max(retryInMs, budgetRetryMs.min), budgetRetryMs.max);
}

export interface IdentifyPermissionOptions {
	clock: Clock;
	coordinator: IdentifyCoordinator;
	/** Discord has refused for good: no IDENTIFY may follow. */
	refused(): ShardctlError | undefined;
	/** Asks Discord for the state of the budget. Never rejects. */
	refresh(): Promise<void>;
}

/**
 * Waits for a slot. Where the budget does not allow it, waits for the reset and tries again. After a refusal by Discord it never
 * resolves: `onRefused` ends the worker that asks. Rejects only with the signal's reason.
 */
export async function acquireIdentify(
	{ clock, coordinator, refused, refresh }: IdentifyPermissionOptions,
	{
		shardId,
		automatic,
		onDeferred,
		onRefused,
	}: {
		shardId: number;
		automatic: boolean;
		onDeferred(state: IdentifyBudgetState): void;
		/** The process that asks must exit: it would wait for ever. */
		onRefused(error: ShardctlError): void;
	},
	signal: AbortSignal,
): Promise<IdentifySlot> {
	for (let attempt = 1; ; attempt++) {
		const grant = await coordinator.acquire({ shardId, automatic }, signal);
		const refusal = refused();
		if (refusal) {
			if (grant.allowed) grant.slot.release();
			onRefused(refusal);
			return aborted(signal);
		}
		if (grant.allowed) return grant.slot;
		if (attempt === 1) onDeferred(coordinator.budget());
		await sleep(clock, budgetRetryDelayMs(grant), signal);
		await refresh();
	}
}
