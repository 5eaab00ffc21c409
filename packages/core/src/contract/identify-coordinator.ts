// What leads to an IDENTIFY: one slot per `shard_id % max_concurrency` in each window of 5 seconds, and one session start of the day's
// budget. Both are granted together, so that several managers can share one coordinator.
// Discord: Gateway, "Rate Limiting", "Max Concurrency" and "Session Start Limit".
import type { Clock } from '../clock.js';
import type { IdentifyBudgetState } from './fleet.js';
import type { GatewayInfo } from './worker.js';

/** Discord's window: one IDENTIFY per rate limit key. */
export const identifyWindowMs = 5000;

/**
 * Discord counts the window from when it *received* an IDENTIFY, which only READY proves. Until READY arrives, this much is added to
 * the moment of sending, so that a slow packet and a fast one after it still arrive a window apart.
 */
export const arrivalMarginMs = 200;

/** What Discord allows the bot, from `GET /gateway/bot`. */
export type SessionStartLimit = GatewayInfo['session_start_limit'];

/** Permission to send one IDENTIFY now. Its calls return at once; a coordinator that has to send them somewhere does so in order. */
export interface IdentifySlot {
	readonly id: number;
	readonly shardId: number;
	/** IDENTIFY was sent. */
	sent(): void;
	/** READY arrived, so Discord has received the IDENTIFY by now. */
	confirmed(): void;
	/** The slot will not be used: it goes to the next request, and its session start is not charged. No effect once sent. */
	release(): void;
	/** The holder died, so it is unknown whether it sent IDENTIFY: counts as sent now. No effect once sent. */
	abandon(): void;
}

export interface IdentifyRequest {
	/** The shard id that Discord sees. */
	shardId: number;
	/** A restart that no person requested: it leaves the reserve of the budget alone. */
	automatic: boolean;
}

/** Why the budget does not allow session starts now. */
export interface BudgetRefusal {
	allowed: false;
	/** When the budget resets, in ms from now. */
	retryInMs: number;
	/** The same in epoch ms. */
	resetAt: number;
}

export type BudgetAnswer = { allowed: true } | BudgetRefusal;
export type IdentifyGrant = { allowed: true; slot: IdentifySlot } | BudgetRefusal;

/** A shard's place in the queue, for progress displays. */
export interface IdentifyWait {
	shardId: number;
	/** When it gets its slot at the latest, by what is known now, in ms from now. */
	etaMs: number;
}

/** What every coordinator is made with. */
export interface IdentifyCoordinatorOptions {
	clock: Clock;
	/** Session starts of the day that automatic restarts never use; at most a tenth of the day's total is kept. */
	reserve: number;
	/** Length of the identify window (default {@link identifyWindowMs}); a simulator may have a shorter one. */
	windowMs?: number;
}

/**
 * Coordinates the identifies of a bot: of one manager (in memory), or of many (in a store that they share). Every implementation passes
 * the suite in test/contracts.
 *
 * Invariants, for all holders together: no two IDENTIFYs of one rate limit key in a window, and never more session starts than
 * Discord has left, counting slots that are granted and not yet sent.
 */
export interface IdentifyCoordinator {
	/**
	 * Takes over Discord's latest answer. When `max_concurrency` changes, so do the rate limit keys: nothing is granted until every
	 * slot of the old keys is sent or released and every open window has passed. Never rejects.
	 */
	update(limit: SessionStartLimit): Promise<void>;

	/**
	 * Waits for a slot of the shard's rate limit key, lowest shard id first and those after that had one already, and charges one session start in the same step. Where the
	 * budget does not allow it, resolves with the refusal when the slot's turn comes; the slot then goes to the next request. Nothing is
	 * granted before the first {@link update}. Rejects only with the signal's reason.
	 */
	acquire(request: IdentifyRequest, signal: AbortSignal): Promise<IdentifyGrant>;

	/** Whether `count` session starts are left, without charging any. Never rejects. */
	check(count: number, options: { automatic: boolean }): Promise<BudgetAnswer>;

	/** What is left of the day, by what is known here. */
	budget(): IdentifyBudgetState;

	/** The requests of this holder that wait for a slot. */
	waits(): IdentifyWait[];
}
