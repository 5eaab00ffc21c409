// The shards of one session, and the workers that run them: in a cluster a session moves with all of its workers, so slices are cut within
// it. Pure.
import { type Layout, planSlices, shardsOfSession } from '@shardctl/core';
import type { Plan } from './plan.js';

/** The plan of a node that has these sessions. */
export function withSessions(plan: Plan, sessionIds: Iterable<number>): Plan {
	const { layout } = plan;
	const sessions = [...new Set(sessionIds)].sort((a, b) => a - b);
	const all = Array.from({ length: layout.totalShards }, (_, id) => id);
	const shardIds = sessions.flatMap((session) => shardsOfSession(layout, session, all)).sort((a, b) => a - b);
	return { ...plan, sessionIds: sessions, shardIds };
}

export interface SessionPlan {
	/** Ascending. */
	shardIds: number[];
	/** Shard ids per worker. */
	slices: number[][];
}

export interface Slicing {
	readonly shardsPerWorker: number | 'auto';
	readonly cores: number;
	/** Where events go through one: workers have no shards then. */
	readonly queue?: object | null;
}

export function planSession(layout: Layout, session: number, { shardsPerWorker, cores, queue }: Slicing): SessionPlan {
	const all = Array.from({ length: layout.totalShards }, (_, id) => id);
	const shardIds = shardsOfSession(layout, session, all);
	if (queue) return { shardIds, slices: [] };
	const perWorker = shardsPerWorker === 'auto' ? Math.ceil(shardIds.length / cores) : shardsPerWorker;
	return { shardIds, slices: planSlices(shardIds, perWorker) };
}
