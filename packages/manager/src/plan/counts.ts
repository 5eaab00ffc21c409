// How many shards workers see, and through how many sessions with Discord they come. The shards are a whole multiple of the sessions,
// so that every guild's shard lies within one session: shard v within session v % sessions. Pure.
import { formatShardIds } from '@shardctl/core';

export interface Counts {
	totalShards: number;
	sessions: number;
}

/** What was asked for; undefined sessions: as many as shards. */
export interface WantedCounts {
	totalShards: number | 'auto';
	sessions: number | 'auto' | undefined;
}

/**
 * Both counts, where the one is to fit the other and `auto` is what Discord recommends, or the next larger number that fits. Two
 * given numbers are left as they are; see {@link unevenCounts}.
 */
export function resolveCounts({ totalShards, sessions }: WantedCounts, recommended: number): Counts {
	if (totalShards === 'auto') {
		const count = typeof sessions === 'number' ? sessions : recommended;
		return { totalShards: Math.ceil(recommended / count) * count, sessions: count };
	}
	if (sessions !== 'auto') return { totalShards, sessions: sessions ?? totalShards };
	return { totalShards, sessions: divisorFrom(totalShards, Math.min(recommended, totalShards)) };
}

/** Why so many sessions cannot carry so many shards, and which numbers can; undefined when they can. */
export function unevenCounts({ totalShards, sessions }: Counts): string | undefined {
	if (totalShards % sessions === 0) return undefined;
	const multiples = [Math.floor(totalShards / sessions) * sessions, Math.ceil(totalShards / sessions) * sessions];
	const divisors = [divisorTo(totalShards, sessions), divisorFrom(totalShards, sessions)];
	const or = (counts: readonly number[]) => [...new Set(counts)].filter((count) => count > 0).join(' or ');
	return (
		`${totalShards} shards do not divide evenly among ${sessions} sessions: ${or(multiples)} shards do, ` +
		`and ${totalShards} shards among ${or(divisors)} sessions`
	);
}

/** Why these shards cannot run without others, whose session they share; undefined when they can. */
export function dividedSessions(shardIds: readonly number[], { totalShards, sessions }: Counts): string | undefined {
	const here = new Set(shardIds);
	const held = new Set(shardIds.map((shardId) => shardId % sessions));
	const missing = Array.from({ length: totalShards }, (_, id) => id).filter((id) => held.has(id % sessions) && !here.has(id));
	if (missing.length === 0) return undefined;
	const whole = [...shardIds, ...missing].sort((a, b) => a - b);
	const [first] = missing as [number];
	const beside = shardIds.find((id) => id % sessions === first % sessions);
	return (
		`shard ${first} comes through the same session with Discord as shard ${beside}, and one manager has all shards of a session: ` +
		`${formatShardIds(whole)}, for example`
	);
}

/** The largest divisor of a number up to a limit. */
function divisorTo(count: number, limit: number): number {
	let divisor = Math.min(limit, count);
	while (count % divisor !== 0) divisor--;
	return divisor;
}

/** The smallest divisor of a number from a limit on, which is at most the number; the number itself beyond. */
function divisorFrom(count: number, limit: number): number {
	let divisor = Math.min(limit, count);
	while (count % divisor !== 0) divisor++;
	return divisor;
}
