// The figures of all nodes of a cluster as those of one fleet, with one verdict on its health. Pure.
import type { NodeInfo, SessionPlace } from '@shardctl/control';
import {
	describeShards,
	type FleetHealth,
	type FleetLosses,
	type HealthCause,
	type HealthCauseKind,
	type ManagerStats,
} from '@shardctl/core';

/** What a node returned, or why it did not. */
export type NodeStats = { node: string; stats: ManagerStats } | { node: string; error: string };

export interface ClusterFacts {
	/** The node that responds: what is about a machine or a process is its own. */
	self: string;
	nodes: readonly NodeInfo[];
	places: readonly SessionPlace[];
	parts: readonly NodeStats[];
	/** How many sessions with Discord one that is placed is, or becomes (default: 1). */
	sessionsEach?: number | undefined;
	/** Why the table is not as it is now. */
	problem?: string | undefined;
}

export function mergeStats({ self, nodes, places, parts, sessionsEach, problem }: ClusterFacts): ManagerStats {
	const known = parts.filter((part) => 'stats' in part);
	const own = (known.find(({ node }) => node === self) ?? known[0])?.stats;
	if (!own) throw new Error('a node always has its own figures');
	const ownerOf = new Map(places.flatMap(({ shardIds, node }) => shardIds.map((id) => [id, node])));
	// While a session moves, two nodes have processes for it: the one that owns it counts.
	const shards =
		own.manager.totalShards === 0
			? []
			: bestOf(
					known.flatMap(({ node, stats }) => stats.shards.map((shard) => ({ ...shard, node }))),
					({ shardId }) => shardId,
					({ shardId, node, ready }) => (ownerOf.get(shardId) === node ? 2 : 0) + (ready ? 1 : 0),
				).sort((a, b) => a.shardId - b.shardId);
	const workers = bestOf(
		known.flatMap(({ node, stats }) => stats.workers.map((worker) => ({ ...worker, node }))),
		({ id, shardIds, node }) => workerKey({ id, shardIds, node }),
		({ shardIds, node }) => (ownerOf.get(shardIds[0] as number) === node ? 1 : 0),
	).sort((a, b) => a.id - b.id || (a.node < b.node ? -1 : 1));
	const gateways = known.flatMap(({ node, stats }) => stats.gateways?.map((gateway) => ({ ...gateway, node })) ?? []);
	const health = mergeHealth({ self, nodes, places, parts, sessionsEach, problem }, shards.filter(({ ready }) => ready).length);
	// The groups are the same from every node: what one that reaches Redis has read.
	const queue = own.queue?.connected
		? own.queue
		: (known.flatMap(({ stats }) => stats.queue ?? []).find(({ connected }) => connected) ?? own.queue);
	const losses = mergeLosses(known.flatMap(({ stats }) => stats.losses ?? []));
	const deploys = known.flatMap(({ stats }) => stats.deploy ?? []);
	const deploy = deploys.find(({ state }) => !endStates.has(state)) ?? deploys.sort((a, b) => b.startedAt - a.startedAt)[0];
	const [sizing] = known
		.flatMap(({ stats }) => stats.sizing ?? [])
		.sort(
			(a, b) =>
				// Only the node that decides knows what it waits for.
				Number(b.waitsFor !== null) - Number(a.waitsFor !== null) ||
				Number(b.outgrown) - Number(a.outgrown) ||
				b.guilds - a.guilds,
		);
	return {
		...own,
		manager: {
			...own.manager,
			shardIds: shards.map(({ shardId }) => shardId),
			workers: workers.length,
			status: own.manager.status === 'running' && health.served < health.shards ? 'degraded' : own.manager.status,
			identify: {
				...own.manager.identify,
				granted: known.reduce((sum, { stats }) => sum + stats.manager.identify.granted, 0),
			},
		},
		health,
		shards,
		workers,
		...(own.gateways || gateways.length > 0 ? { gateways } : {}),
		...(queue ? { queue } : {}),
		...(losses ? { losses } : {}),
		...(deploy ? { deploy } : {}),
		...(sizing ? { sizing } : {}),
	};
}

/** Which worker of the bot it is: the id says it, except where workers have no shards, which each node counts by itself. */
export function workerKey({
	id,
	shardIds,
	node,
}: {
	id: number;
	shardIds: readonly number[];
	node?: string | undefined;
}): number | string {
	return shardIds.length > 0 ? id : `${id} of ${node}`;
}

/** Each node counts what was lost on it. */
function mergeLosses(parts: readonly FleetLosses[]): FleetLosses | undefined {
	const [first, ...others] = parts;
	if (!first) return undefined;
	return others.reduce(
		(sum, { since, events, byReason, sessions, last }) => ({
			since: Math.min(sum.since, since),
			events: sum.events + events,
			byReason: Object.fromEntries(
				Object.entries(byReason).map(([reason, count]) => [reason, count + sum.byReason[reason as keyof typeof byReason]]),
			) as FleetLosses['byReason'],
			sessions: sum.sessions + sessions,
			last: (last?.at ?? 0) > (sum.last?.at ?? 0) ? last : sum.last,
		}),
		first,
	);
}

const endStates: ReadonlySet<string> = new Set(['deployed', 'failed', 'called-off']);

/** One entry for each key: of several the one with the highest rank. */
function bestOf<T>(entries: readonly T[], keyOf: (entry: T) => number | string, rankOf: (entry: T) => number): T[] {
	const best = new Map<number | string, T>();
	for (const entry of entries) {
		const before = best.get(keyOf(entry));
		if (before === undefined || rankOf(entry) > rankOf(before)) best.set(keyOf(entry), entry);
	}
	return [...best.values()];
}

const effects = { outage: 0, progress: 1, risk: 2 };

function mergeHealth({ nodes, places, parts, sessionsEach = 1, problem }: ClusterFacts, served: number): FleetHealth {
	const totalShards = places.reduce((sum, { shardIds }) => sum + shardIds.length, 0);
	const explained = new Set<number>();
	const causes: HealthCause[] = [];
	const add = (next: HealthCause) => {
		const shardIds = next.effect === 'risk' ? next.shardIds : next.shardIds.filter((id) => !explained.has(id));
		if (next.effect !== 'risk') {
			if (shardIds.length === 0 && next.shardIds.length > 0) return;
			for (const id of shardIds) explained.add(id);
		}
		causes.push({ ...next, shardIds });
	};
	const shardsOf = (name: string) =>
		places
			.filter(({ node }) => node === name)
			.flatMap(({ shardIds }) => shardIds)
			.sort((a, b) => a - b);
	if (problem !== undefined) {
		const what = `Redis does not answer, so the other nodes are shown as they were last: ${problem}`;
		add({ ...cause('redis-unreachable', [], what, 'check that Redis runs and can be reached'), effect: 'risk' });
	}
	const errors = new Map(parts.flatMap((part) => ('error' in part ? [[part.node, part.error]] : [])));
	for (const { name, status } of nodes) {
		const shardIds = shardsOf(name);
		if (status === 'gone' && shardIds.length > 0) {
			add(cause('node-gone', shardIds, `node ${name} is gone: other nodes take over what it had`));
		} else if (status === 'muted') {
			const what = `the lease of node ${name} is not confirmed, so it delivers no events`;
			add(cause('node-muted', shardIds, what, `check the connection of node ${name} to Redis`));
		} else if (errors.has(name) && problem === undefined) {
			add(
				cause('node-silent', shardIds, `node ${name} does not respond: ${errors.get(name)}`, `look at the log of node ${name}`),
			);
		}
	}
	const unplaced = places.filter(({ node }) => node === null).flatMap(({ shardIds }) => shardIds);
	if (unplaced.length > 0) {
		const full = nodes.every(
			({ status, capacity, sessions }) => status !== 'ready' || (capacity !== null && sessions + sessionsEach > capacity),
		);
		const verb = unplaced.length === 1 ? 'is' : 'are';
		add(
			full
				? cause(
						'shard-unplaced',
						unplaced,
						`${describeShards(unplaced)} ${verb} on no node: no node has room`,
						'start another node, or end a drain',
					)
				: {
						...cause('shard-unplaced', unplaced, `${describeShards(unplaced)} ${verb} being placed on a node`),
						effect: 'progress',
					},
		);
	}
	for (const part of parts) {
		if ('error' in part) continue;
		// What a node says of sessions that are another node's by now is out of date.
		for (const one of part.stats.health.causes) {
			const shardIds = one.effect === 'risk' ? one.shardIds : one.shardIds.filter((id) => shardsOf(part.node).includes(id));
			if (shardIds.length > 0 || one.shardIds.length === 0)
				add({ ...one, shardIds, message: `node ${part.node}: ${one.message}` });
		}
	}
	causes.sort((a, b) => effects[a.effect] - effects[b.effect]);
	const down = served === 0 && totalShards > 0;
	return {
		status: down ? 'down' : served < totalShards || causes.length > 0 ? 'degraded' : 'healthy',
		served,
		shards: totalShards,
		causes,
	};
}

function cause(kind: HealthCauseKind, shardIds: number[], message: string, remedy: string | null = null): HealthCause {
	return { kind, effect: 'outage', shardIds, message, since: null, tries: 0, nextTryAt: null, lost: 0, remedy };
}
