// Whether, and when, a process that ended is started again: a pure decision from its history. Every start of a bot may cost
// an IDENTIFY per shard, and Discord resets the token of a bot that spends its day's worth, so a loop must slow down by itself.
import type { ExitReport } from './exit-reason.js';

/** The rules of restarting. All of them are needed; {@link defaultRestartPolicy} is a start. */
export interface RestartPolicy {
	/** Upper bound of the wait before the second restart in a row; the first one is immediate. */
	initialDelayMs: number;
	/** The bound never grows over this. */
	maxDelayMs: number;
	/** By how much the bound grows with each further restart; one after a run that had spent counts as {@link spentWeight}. */
	factor: number;
	/** How many restarts may fall into one window; the next exit leads to the cool-down. */
	maxRestarts: number;
	windowMs: number;
	/** A process that was ready for this long has proven itself: the backoff and the cool-down start over. */
	stableAfterMs: number;
	/** The wait of a child that was given up, before the next attempt. Doubles each time that fails, up to twelvefold. */
	cooldownMs: number;
}

/**
 * One crash costs no wait. A crash loop gets 6 starts in its first minutes, is then given up loudly, and is tried again after
 * 5, 10, 20, 40 and from then on 60 minutes: fewer than 40 starts a day. Where each start spends, the waits before that are about
 * 0, 16, 60, 60 and 60 s: 3 starts in the first minute.
 */
export const defaultRestartPolicy: RestartPolicy = {
	initialDelayMs: 1000,
	maxDelayMs: 60_000,
	factor: 2,
	maxRestarts: 5,
	windowMs: 30 * 60_000,
	stableAfterMs: 60_000,
	cooldownMs: 5 * 60_000,
};

/** A cool-down grows to at most this multiple of `cooldownMs`. */
const maxCooldownGrowth = 12;

/** As how many restarts in a row one counts that followed a run which had spent what a start costs. */
const spentWeight = 5;

/** What the next decision has to know of the past. Times are monotonic. */
export interface RestartHistory {
	/** Restarts in a row since the last proof of health, by their weight. */
	readonly attempts: number;
	/** When the restarts of the last window were decided, oldest first; never longer than `maxRestarts` + 1. */
	readonly restartedAt: readonly number[];
	/** Cool-downs in a row since the last proof of health. */
	readonly cooldowns: number;
}

/** The past of a child that never ended yet. */
export const emptyHistory: RestartHistory = { attempts: 0, restartedAt: [], cooldowns: 0 };

/** What to do after an exit; `history` is what to hand to the next decision. */
export type RestartDecision =
	| { kind: 'restart'; delayMs: number; restartsInWindow: number; history: RestartHistory }
	| { kind: 'cooldown'; delayMs: number; restartsInWindow: number; history: RestartHistory }
	| { kind: 'never' };

/**
 * Decides on an unrequested exit.
 *
 * - Backoff with full jitter: the first restart is immediate, the n-th after it waits a random time below
 *   `initialDelayMs · factor^(n-1)`, at most `maxDelayMs`. Only a run that was ready for `stableAfterMs` starts it over.
 * - A run that had spent what a start costs and did not prove itself counts as five, and jitter takes at most a tenth off the
 *   wait after it: a loop that dies before it has cost anything may be tried often, one that spends may not.
 * - Intensity: with `maxRestarts` restarts in the last `windowMs` behind it, the child is given up for `cooldownMs`.
 * - After a cool-down there is one try: unless it proves stable, the next cool-down follows, twice as long.
 * - `policy` null and a fatal exit mean never.
 */
export function decideRestart(
	history: RestartHistory,
	exit: Pick<ExitReport, 'reason' | 'wasReady' | 'readyForMs' | 'spent'>,
	policy: RestartPolicy | null,
	nowMonotonicMs: number,
	random: number,
): RestartDecision {
	if (policy === null || exit.reason === 'fatal') return { kind: 'never' };
	const stable = exit.wasReady && exit.readyForMs >= policy.stableAfterMs;
	const attempts = stable ? 0 : history.attempts;
	const weight = exit.spent && !stable ? spentWeight : 1;
	const cooldowns = stable ? 0 : history.cooldowns;
	const recent = history.restartedAt.filter((at) => nowMonotonicMs - at < policy.windowMs);
	const restartedAt = [...recent, nowMonotonicMs].slice(-(policy.maxRestarts + 1));

	if (cooldowns > 0 || recent.length >= policy.maxRestarts) {
		return {
			kind: 'cooldown',
			delayMs: cooldownDelayMs(cooldowns, policy, random),
			restartsInWindow: recent.length,
			history: { attempts: attempts + weight, restartedAt, cooldowns: cooldowns + 1 },
		};
	}
	return {
		kind: 'restart',
		delayMs: Math.floor(backoffBoundMs(attempts, policy) * (exit.spent ? 1 - random / 10 : random)),
		restartsInWindow: recent.length + 1,
		history: { attempts: attempts + weight, restartedAt, cooldowns: 0 },
	};
}

/** The longest wait before the restart that follows `attempts` others in a row. */
export function backoffBoundMs(attempts: number, policy: RestartPolicy): number {
	if (attempts === 0) return 0;
	// A large exponent gives Infinity, and 0 times that would be no number.
	const growth = Math.min(Number.MAX_VALUE, policy.factor ** (attempts - 1));
	return Math.min(policy.maxDelayMs, policy.initialDelayMs * growth);
}

/** The wait of the cool-down that follows `cooldowns` others in a row: never shorter than asked, up to a tenth longer. */
export function cooldownDelayMs(cooldowns: number, policy: RestartPolicy, random: number): number {
	const growth = Math.min(maxCooldownGrowth, 2 ** cooldowns);
	// The tenth keeps workers that were given up together from coming back together.
	return Math.floor(policy.cooldownMs * growth * (1 + random / 10));
}
