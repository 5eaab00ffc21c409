// Which gateway process holds which shards, and which worker: neither the shards of a worker nor those of a session with Discord are
// ever divided between two processes. Pure.
import { planSlices } from '@shardctl/core';
import type { Counts } from './counts.js';

export interface GatewayPlan {
	/** Shards per worker, in order of their first. */
	slices: number[][];
	/** Shards per gateway process. */
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
	// A worker of neighbouring shards has several sessions, so the processes are planned first, and the workers within each.
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

function groupSessions(shardIds: readonly number[], { totalShards, sessions, atMost }: Counts & { atMost: number }): number[][] {
	const sessionIds = [...new Set(shardIds.map((id) => id % sessions))].sort((a, b) => a - b);
	const sessionsPerGroup = Math.max(1, Math.floor((atMost * sessions) / totalShards));
	return planSlices(sessionIds, sessionsPerGroup).map((held) => shardIds.filter((id) => held.includes(id % sessions)));
}
