// Assigns shards to gateway processes and to workers. One gateway process has all shards of a worker, and all shards of a session
// with Discord. Pure.
import { planSlices, sessionsOfShards, shardsOfSession } from '@shardctl/core';
import type { Counts } from './counts.js';

export interface GatewayPlan {
	/** Shard ids per worker, in order of their first shard. */
	slices: number[][];
	/** Shard ids per gateway process. */
	gateways: number[][];
}

export function planGateways(
	shardIds: readonly number[],
	{ shardsPerWorker, shardsPerGateway, ...counts }: Counts & { shardsPerWorker: number; shardsPerGateway: number },
): GatewayPlan {
	if (counts.totalShards === counts.sessions) {
		const slices = planSlices(shardIds, shardsPerWorker);
		return { slices, gateways: groupSlices(slices, shardsPerGateway) };
	}
	// Neighbouring shards are on different sessions, so the gateway processes are planned first, and the workers within each.
	const gateways = groupSessions(shardIds, { ...counts, atMost: Math.max(shardsPerGateway, shardsPerWorker) });
	const slices = gateways.flatMap((held) => planSlices(held, shardsPerWorker));
	return { slices: slices.sort(([a = 0], [b = 0]) => a - b), gateways };
}

function groupSlices(slices: readonly (readonly number[])[], atMost: number): number[][] {
	const groups: number[][] = [];
	for (const slice of slices) {
		const last = groups.at(-1);
		if (last && last.length + slice.length <= atMost) last.push(...slice);
		else groups.push([...slice]);
	}
	return groups;
}

function groupSessions(shardIds: readonly number[], { atMost, ...counts }: Counts & { atMost: number }): number[][] {
	const sessionsPerGroup = Math.max(1, Math.floor((atMost * counts.sessions) / counts.totalShards));
	return planSlices(sessionsOfShards(counts, shardIds), sessionsPerGroup).map((sessions) =>
		sessions.flatMap((session) => shardsOfSession(counts, session, shardIds)).sort((a, b) => a - b),
	);
}
