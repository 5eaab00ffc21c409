// What Discord makes depend on the size of a bot: shard counts and session starts. Discord: Gateway, "Sharding for Large Bots".
import type { ResolvedSimulatorOptions } from '../options.js';
import { dailySessionStarts, SessionBudget } from './session-budget.js';

type SizeOptions = Pick<ResolvedSimulatorOptions, 'largeBot' | 'guilds' | 'sessionStarts'>;

/** A large bot's shard count must be a multiple of this; 1 for every other. */
export function shardMultiple({ largeBot }: Pick<SizeOptions, 'largeBot'>): number {
	if (largeBot === false) return 1;
	return largeBot === true ? 16 : largeBot.multiple;
}

/** The shard count that /gateway/bot recommends. */
export function recommendedShards(guilds: number, multiple: number): number {
	const needed = Math.max(1, Math.ceil(guilds / 1000));
	return Math.ceil(needed / multiple) * multiple;
}

/** The session starts that a bot of this size has. */
export function sessionBudget({ largeBot, guilds, sessionStarts }: SizeOptions, nowMs: number): SessionBudget {
	const { total, remaining, resetAfterMs, windowMs } = sessionStarts;
	return new SessionBudget({
		total: total ?? (largeBot ? dailySessionStarts(Math.max(guilds, 150_001)) : 1000),
		...(remaining !== undefined && { remaining }),
		...(resetAfterMs !== undefined && { resetAfterMs }),
		windowMs,
		nowMs,
	});
}
