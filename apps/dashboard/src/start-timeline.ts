// The identify windows of a start: who has started a session in which one, who is next, and when the last one has its turn. Pure. Discord:
// Gateway, "Session Start Limit": one IDENTIFY per `shard_id % max_concurrency` every 5 s.
import type { ManagerStats } from '@shardctl/core';

export const windowMs = 5000;

export interface IdentifyWindow {
	/** Epoch ms of its begin. */
	at: number;
	state: 'ready' | 'identifying' | 'waiting';
	/** Ascending. */
	shardIds: number[];
}

export interface StartTimeline {
	/** Oldest first; those to come are estimates. */
	windows: IdentifyWindow[];
	/** Shards that still wait, in the order of their turns. */
	waiting: number[];
	/** When the last of them has its turn; null when none waits. */
	lastTurnAt: number | null;
}

export function startTimeline({ manager, shards }: Pick<ManagerStats, 'manager' | 'shards'>, nowMs: number): StartTimeline {
	const past = new Map<number, number[]>();
	const current: number[] = [];
	const turns = new Map<number, number[]>();
	const inBucket = new Map<number, number>();
	const buckets = Math.max(1, manager.identify.maxConcurrency);
	for (const { shardId, status, since } of shards) {
		if (status === 'ready') add(past, Math.floor(((since ?? nowMs) - manager.startedAt) / windowMs), shardId);
		else if (status === 'identifying') current.push(shardId);
		else if (status === 'waiting' || status === 'booting' || status === 'planned') {
			const turn = 1 + (inBucket.get(shardId % buckets) ?? 0);
			inBucket.set(shardId % buckets, turn);
			add(turns, turn, shardId);
		}
	}
	const byTime = (entries: Map<number, number[]>) => [...entries].sort(([a], [b]) => a - b);
	const toCome = byTime(turns);
	return {
		windows: [
			...byTime(past).map(([index, shardIds]) => ({
				at: manager.startedAt + index * windowMs,
				state: 'ready' as const,
				shardIds,
			})),
			...(current.length > 0 ? [{ at: nowMs, state: 'identifying' as const, shardIds: current }] : []),
			...toCome.map(([turn, shardIds]) => ({ at: nowMs + turn * windowMs, state: 'waiting' as const, shardIds })),
		],
		waiting: toCome.flatMap(([, shardIds]) => shardIds),
		lastTurnAt: toCome.length === 0 ? null : nowMs + (toCome.at(-1)?.[0] ?? 0) * windowMs,
	};
}

function add(entries: Map<number, number[]>, key: number, shardId: number): void {
	const known = entries.get(key);
	if (known) known.push(shardId);
	else entries.set(key, [shardId]);
}
