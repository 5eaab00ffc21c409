// How many shards workers see, and how many sessions with Discord carry them. The shards are a whole multiple of the sessions, so
// that all guilds of a shard belong to one session. Pure.
import { formatShardIds, type Layout, sessionOfShard } from '@shardctl/core';

/** The two counts of a layout. */
export type Counts = Pick<Layout, 'totalShards' | 'sessions'>;

/** The counts as the options have them; undefined sessions: as many as shards. */
export interface RequestedCounts {
	totalShards: number | 'auto';
	sessions: number | 'auto' | undefined;
	/** In a cluster: how many nodes share the sessions. */
	nodes?: number | undefined;
}

/**
 * Both counts. An `auto` count becomes what Discord recommends, or the next larger number that fits the other count; `auto` sessions of given
 * shards are at least one for each node. Two given numbers stay as they are; see {@link countsProblem}.
 */
export function resolveCounts({ totalShards, sessions, nodes = 1 }: RequestedCounts, recommended: number): Counts {
	if (totalShards === 'auto') {
		const count = typeof sessions === 'number' ? sessions : recommended;
		return { totalShards: Math.ceil(recommended / count) * count, sessions: count };
	}
	if (sessions !== 'auto') return { totalShards, sessions: sessions ?? totalShards };
	return { totalShards, sessions: smallestDivisorFrom(totalShards, Math.max(recommended, nodes)) };
}

/** Why the shards cannot be split over the sessions, with the nearest counts that can; undefined when they can. */
export function countsProblem({ totalShards, sessions }: Counts): string | undefined {
	if (totalShards % sessions === 0) return undefined;
	const multiples = [Math.floor(totalShards / sessions) * sessions, Math.ceil(totalShards / sessions) * sessions];
	const divisors = [largestDivisorUpTo(totalShards, sessions), smallestDivisorFrom(totalShards, sessions)];
	const or = (counts: readonly number[]) => [...new Set(counts)].filter((count) => count > 0).join(' or ');
	return `${totalShards} shards cannot be split over ${sessions} sessions; use ${or(multiples)} shards, or ${or(divisors)} sessions`;
}

/** Why these shards cannot run without others that share a session with them; undefined when they can. */
export function splitSessionProblem(shardIds: readonly number[], counts: Counts): string | undefined {
	const listed = new Set(shardIds);
	const sessionOf = (shardId: number) => sessionOfShard(counts, shardId);
	const sessions = new Set(shardIds.map(sessionOf));
	const all = Array.from({ length: counts.totalShards }, (_, id) => id);
	const missing = all.filter((id) => sessions.has(sessionOf(id)) && !listed.has(id));
	const [first] = missing;
	if (first === undefined) return undefined;
	const neighbour = shardIds.find((id) => sessionOf(id) === sessionOf(first));
	const complete = [...shardIds, ...missing].sort((a, b) => a - b);
	return (
		`shard ${first} is missing: it shares a Discord session with shard ${neighbour}, and one manager must run all shards of a ` +
		`session; use ${formatShardIds(complete)}, for example`
	);
}

/** The largest divisor of `count` that is not above `limit`. */
function largestDivisorUpTo(count: number, limit: number): number {
	let divisor = Math.min(limit, count);
	while (count % divisor !== 0) divisor--;
	return divisor;
}

/** The smallest divisor of `count` that is not below `limit`; `count` itself when `limit` is above it. */
function smallestDivisorFrom(count: number, limit: number): number {
	let divisor = Math.min(limit, count);
	while (count % divisor !== 0) divisor++;
	return divisor;
}
