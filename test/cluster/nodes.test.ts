// One fleet on two nodes, through the command line of either: what it shows, what it calls and what it moves.
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, type ClusterSetup, clusterFleet } from './cluster-fleet.js';

const bot = fileURLToPath(new URL('fixtures/calling-bot.mjs', import.meta.url));

interface Nodes {
	cluster: object;
	nodes: { name: string; status: string; sessions: number; shards: number; workers: number; pid: number }[];
}
interface Stats {
	manager: { shardIds: number[]; workers: number };
	health: { status: string; served: number; causes: { kind: string }[] };
	shards: { shardId: number; node: string; pid: number; ready: boolean }[];
	gateways: { node: string; shardIds: number[] }[];
}
interface Result {
	shardIds: number[];
	workerId: number;
	node: string;
	status: string;
	value?: unknown;
	error?: { code: string };
}

/** Two nodes with two shards each. */
async function twoNodes(
	setup: Partial<ClusterSetup> = {},
): Promise<{ fleet: ClusterFleet; a: ClusterNodeRun; b: ClusterNodeRun }> {
	const fleet = await clusterFleet({ shards: 4, lease: '6s', bot, ...setup });
	const { a, b } = await fleet.startAll(['a', 'b']);
	return { fleet, a, b };
}

describeWithRedis('the command line of a cluster', () => {
	it('shows and calls the whole fleet from any node, and one node where that is wanted', async () => {
		const { fleet, a, b } = await twoNodes();
		const { cluster, nodes } = await a.json<Nodes>('nodes');
		expect(Object.keys(cluster)).toEqual(['app', 'engine', 'version']);
		expect(Object.keys(nodes[0] as object).join()).toBe(
			'name,status,pid,version,sessions,shards,workers,capacity,leaseMs,startedAt',
		);
		expect(nodes).toMatchObject([
			{ name: 'a', status: 'ready', pid: a.run.pid, sessions: 2, shards: 2, workers: 2, capacity: null },
			{ name: 'b', status: 'ready', pid: b.run.pid, sessions: 2, shards: 2, workers: 2, capacity: null },
		]);
		const stats = await b.json<Stats>('stats');
		expect(stats.shards.map(({ shardId, ready }) => [shardId, ready])).toEqual([0, 1, 2, 3].map((id) => [id, true]));
		expect(stats.shards.map(({ node }) => node).sort()).toEqual(['a', 'a', 'b', 'b']);
		expect(stats.gateways.map(({ node }) => node).sort()).toEqual(['a', 'a', 'b', 'b']);
		expect(stats).toMatchObject({ manager: { shardIds: [0, 1, 2, 3], workers: 4 }, health: { status: 'healthy', served: 4 } });

		const pids = await a.json<Result[]>('eval', 'process.pid');
		expect(pids.map(({ shardIds, value }) => [shardIds, value])).toEqual(
			stats.shards.map(({ shardId, pid }) => [[shardId], pid]),
		);
		const ofB = pids.filter(({ node }) => node === 'b').map(({ value }) => value);
		for (const [node, scope] of [
			[a, ['--node', 'b']],
			[b, ['--local']],
		] as const) {
			expect((await node.json<Result[]>('eval', 'process.pid', ...scope)).map(({ value }) => value)).toEqual(ofB);
		}
		const [guildId] = fleet.guildIds as [string];
		const { shardId, pid } = await b.json<{ shardId: number; pid: number }>('where', guildId);
		expect(pid).toBe(stats.shards.find((shard) => shard.shardId === shardId)?.pid);

		const { stdout } = await a.cli('events', '--type', 'worker:ready', '--json');
		const events = stdout
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as { node: string; shardIds: number[] });
		expect(events.map(({ node, shardIds }) => [shardIds[0], node]).sort()).toEqual(
			stats.shards.map(({ shardId: id, node }) => [id, node]),
		);
	});

	it('gives a bot the whole fleet without a change of its code', async () => {
		const { a, b } = await twoNodes();
		const { shards } = await a.json<Stats>('stats');
		const pids = shards.map(({ pid }) => pid);
		const far = shards.find(({ node }) => node !== shards[0]?.node) as Stats['shards'][number];
		const inBot = `(async () => [
			await fleet.broadcastEval(() => process.pid),
			await fleet.call('sum', [1, 2]),
			await Promise.all([0, 1, 2, 3].map((shard) => fleet.broadcastEval('process.pid', { shard }))),
			(await fleet.getShardStats()).map(({ pid }) => pid),
			await fleet.broadcastEval('throw new TypeError("no")', { shard: ${far.shardId} }).catch((error) => [error.name, error.message]),
			await fleet.broadcastEval(() => new Map([[1n, new Date(5)]]), { shard: ${far.shardId} }).then((map) => map.get(1n).getTime()),
		])()`;
		const results = await b.json<Result[]>('eval', inBot);
		const each = [pids, [3, 3, 3, 3], pids, pids, ['TypeError', 'no'], 5];
		expect(results.map(({ value }) => value)).toEqual([each, each, each, each]);

		const [respawned] = await a.json<Result[]>('eval', `fleet.respawnShard(${far.shardId})`, '--shard', '0');
		expect(respawned).toMatchObject({ value: true });
		const now = (await b.json<Stats>('stats')).shards.find(({ shardId }) => shardId === far.shardId);
		expect(now).toMatchObject({ ready: true, node: far.node });
		expect(now?.pid).not.toBe(far.pid);
	});

	it('moves, drains and stops nodes from any of them, without an identify', async () => {
		// Three sessions: a move from the node with two leaves no difference that the cluster evens out by itself.
		const { fleet, a, b } = await twoNodes({ shards: 3 });
		await fleet.whole();
		const stop = fleet.talk(100);
		const { nodes } = await a.json<Nodes>('nodes');
		const [full, other] = (nodes[0]?.sessions === 2 ? [a, b] : [b, a]) as [ClusterNodeRun, ClusterNodeRun];
		const shardId = (await a.json<Stats>('stats')).shards.find(({ node }) => node === full.name)?.shardId as number;

		expect(await full.cli('move', String(shardId), other.name)).toMatchObject({
			code: 0,
			stderr: `session ${shardId} (shard ${shardId}) is ready on node ${other.name}; it was on node ${full.name}\n`,
		});
		const moved = (await full.json<Stats>('stats')).shards.find((shard) => shard.shardId === shardId);
		expect(moved).toMatchObject({ node: other.name, ready: true });

		const line = new RegExp(`${other.name} → ${full.name}\\n`);
		const drained = await full.cli('drain', other.name);
		expect(drained).toMatchObject({ code: 0, stderr: expect.stringMatching(line) });
		expect(drained.stderr).toContain(`node ${other.name} is drained: 2 sessions moved\n`);
		const after = (await other.json<Nodes>('nodes')).nodes;
		expect(after.find(({ name }) => name === full.name)).toMatchObject({ status: 'ready', sessions: 3 });
		expect(after.find(({ name }) => name === other.name)).toMatchObject({ status: 'draining', sessions: 0 });

		const refused = async (...command: string[]) => {
			const { code, stderr } = await other.cli(...command);
			return [code, stderr.trim()];
		};
		expect(await refused('move', '0', other.name)).toEqual([1, expect.stringContaining(`node "${other.name}" is drained`)]);
		expect(await refused('drain', full.name)).toEqual([1, expect.stringContaining('no other node can take the sessions')]);
		expect(await refused('move', '0', 'c')).toEqual([2, expect.stringContaining('its live nodes are a, b')]);
		expect(await refused('move', '9', full.name)).toEqual([1, expect.stringContaining('the bot has shards 0-2')]);

		expect(await full.cli('drain', other.name, '--undo')).toMatchObject({
			code: 0,
			stderr: `node ${other.name} takes sessions again\n`,
		});
		expect(await other.cli('rebalance')).toMatchObject({ code: 0 });
		expect((await full.json<Nodes>('nodes')).nodes.map(({ sessions }) => sessions).sort()).toEqual([1, 2]);

		const stopped = await other.cli('stop', '--node', full.name);
		expect(stopped.code).toBe(0);
		expect(stopped.stderr).toContain(`node ${full.name} drains first: `);
		expect(stopped.stderr).toMatch(new RegExp(`stopped node ${full.name} of fleet\n$`));
		expect(await full.run.exit).toBe(0);
		await fleet.servedBy(other);
		stop();
		await fleet.handledAll();
		fleet.expectIdentifies(3);
	});

	it('restarts worker by worker and node by node, and stops every node at once', async () => {
		const { a, b } = await twoNodes();
		const before = (await a.json<Stats>('stats')).shards;
		const restarted = await b.cli('restart', '--rolling');
		expect(restarted).toMatchObject({ code: 0, stderr: expect.stringContaining('restarted 4 workers of fleet') });
		const after = (await a.json<Stats>('stats')).shards;
		expect(after.map(({ ready }) => ready)).toEqual([true, true, true, true]);
		expect(after.filter(({ pid }, index) => pid === before[index]?.pid)).toEqual([]);

		const deployed = await a.cli('deploy', '--observe', '0s');
		expect(deployed).toMatchObject({ code: 0, stderr: expect.stringContaining('deployed 4 workers of fleet') });
		const now = (await b.json<Stats>('stats')).shards;
		expect(now.filter(({ pid }, index) => pid === after[index]?.pid)).toEqual([]);

		expect(await a.cli('stop', '--all')).toMatchObject({ code: 0, stderr: 'stopped 2 nodes (b, a) of fleet\n' });
		expect(await Promise.all([a.run.exit, b.run.exit])).toEqual([0, 0]);
	});
});
