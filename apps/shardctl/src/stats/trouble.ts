// What is wrong with a fleet, for an operator: which shards are not served, why, and since when. Pure.
import { describeShards } from '@shardctl/core';
import type { ManagerStats, ShardStats } from '@shardctl/manager';
import { age } from '../terminal/age.js';
import { out } from '../terminal/colours.js';
import { clip } from '../terminal/table.js';

const shownAtMost = 4;

/**
 * One line for each worker that is not ready, and each gateway process with sessions that are not ready. None when the fleet is
 * healthy, starts for the first time, or is stopping.
 */
export function troubleLines(
	{ manager, shards, gateways }: ManagerStats,
	{ width, nowMs }: { width: number; nowMs: number },
): string[] {
	if (manager.status === 'stopping') return [];
	const starting = manager.status === 'starting';
	const workers = new Map<string, ShardStats[]>();
	for (const shard of shards) {
		if (shard.ready || (starting && shard.lastExit === null)) continue;
		const key = `${shard.workerId} ${shard.status}`;
		workers.set(key, [...(workers.get(key) ?? []), shard]);
	}
	const cutOff = (gateways ?? []).flatMap(({ id, status, restarts, shardIds, sessions }) => {
		const cut = sessions.filter((session) => session.status !== 'ready' && session.status !== 'idle');
		if ((status === 'ready' && cut.length === 0) || (starting && restarts === 0)) return [];
		const ids = status === 'ready' ? cut.flatMap((session) => session.shardIds).sort((a, b) => a - b) : shardIds;
		return [
			`${describeShards(ids)}: ${status === 'ready' ? `session with Discord ${cut[0]?.status} (gateway process ${id})` : `gateway process ${id} is ${status}`}`,
		];
	});
	// Workers cannot serve without their gateway process: the cause is listed first.
	const lines = [...cutOff, ...[...workers.values()].map((group) => workerLine(group, nowMs))];
	const more = lines.length - shownAtMost;
	return [...lines.slice(0, shownAtMost), ...(more > 0 ? [`and ${more} more`] : [])].map((line) =>
		out.red(clip(`✖ ${line}`, width)),
	);
}

function workerLine(group: readonly ShardStats[], nowMs: number): string {
	const [{ status, workerId, lastExit, restarts }] = group as [ShardStats];
	const exit = lastExit ? `: ${lastExit.message}, ${age(nowMs - lastExit.at)} ago` : '';
	const again = restarts > 1 ? `, restarted ${restarts} times` : '';
	return `${describeShards(group.map(({ shardId }) => shardId))} ${status} (worker ${workerId}${again})${exit}`;
}
