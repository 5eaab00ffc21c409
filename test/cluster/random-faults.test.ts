// Random faults, one after the other, over three nodes that share one Redis and one simulated Discord. After each of them the fleet must be
// complete again; at the end no event is lost or out of order, no guild had two owners, and Discord saw no IDENTIFY but the first ones,
// because no fault here ends a session.
//
// SHARDCTL_CLUSTER_FAULTS=1000 for more, SHARDCTL_CLUSTER_SEED=7 for others (not for the same timing).
import { seededRandom, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const total = Number(process.env.SHARDCTL_CLUSTER_FAULTS ?? 6);
const seed = Number(process.env.SHARDCTL_CLUSTER_SEED ?? 20_261_130);
const shards = 6;
const names = ['a', 'b', 'c'] as const;

interface Scene {
	readonly fleet: ClusterFleet;
	readonly nodes: Map<string, ClusterNodeRun>;
	/** In [0, 1). */
	random(): number;
}

type Fault = (scene: Scene, node: ClusterNodeRun) => Promise<void>;

const pick = <T>(items: readonly T[], random: () => number) => items[Math.floor(random() * items.length)] as T;

async function restarted({ fleet, nodes }: Scene, { name }: ClusterNodeRun): Promise<void> {
	nodes.set(name, await fleet.start(name));
}

/** Stops processes until the others have what they had, and lets them continue. */
async function stopped({ fleet }: Scene, pids: readonly number[]): Promise<void> {
	for (const pid of pids) process.kill(pid, 'SIGSTOP');
	await fleet.served();
	for (const pid of pids) process.kill(pid, 'SIGCONT');
}

const faults: Record<string, Fault> = {
	'everything of a node is killed': async (scene, node) => {
		node.kill('everything');
		await scene.fleet.served();
		await restarted(scene, node);
	},
	'a manager is killed': async (scene, node) => {
		node.kill('manager');
		await scene.fleet.served();
		await waitFor('the processes of the node to end', () => node.processes().length === 0);
		await restarted(scene, node);
	},
	'a node is drained': async (scene, node) => {
		node.kill('manager', 'SIGTERM');
		expect(await node.run.exit).toBe(0);
		await restarted(scene, node);
	},
	'a manager is stopped for a while': (scene, node) => stopped(scene, [node.run.pid]),
	'a manager and its gateway processes are stopped for a while': async (scene, node) =>
		stopped(scene, [node.run.pid, ...(await node.gateways())]),
	'a gateway process is killed': async ({ random }, node) => {
		const pid = pick(await node.gateways(), random);
		if (pid !== undefined) process.kill(pid, 'SIGKILL');
	},
	'a node is cut off from Redis for a while': async ({ fleet }, node) => {
		node.toRedis.set({ lose: ['requests', 'answers'], refuse: true });
		await fleet.served();
		node.toRedis.heal();
	},
	'Redis does not hear a node for a while': async ({ fleet }, node) => {
		node.toRedis.set({ lose: ['answers'] });
		await fleet.served();
		node.toRedis.heal();
	},
	'the connections of a node to Redis break': async (_, node) => node.toRedis.reset(),
	'the connections of a node to Discord break': async (_, node) => node.toDiscord.reset(),
	'Redis is restarted': async ({ fleet }) => fleet.redis.restart(),
	'Discord asks every connection to reconnect': async ({ fleet }) => {
		fleet.simulator.faults.reconnect({});
	},
	'Discord drops every connection': async ({ fleet }) => {
		fleet.simulator.faults.drop({});
	},
};

describeWithRedis('three nodes and random faults', () => {
	it.each([true, false])(
		`lose nothing and have no two owners after ${total} faults (seed ${seed}; Redis keeps its data: %s)`,
		async (persist) => {
			const random = seededRandom(seed + Number(persist));
			const fleet = await clusterFleet({ shards, persist });
			const nodes = new Map(Object.entries(await fleet.startAll(names)));
			const scene: Scene = { fleet, nodes, random };
			await fleet.whole();
			const stop = fleet.talk(100);
			await fleet.served();
			for (let done = 0; done < total; done++) {
				const name = pick(Object.keys(faults), random);
				const node = nodes.get(pick(names, random)) as ClusterNodeRun;
				const context = (cause: unknown) => new Error(`fault ${done}, of node ${node.name}: ${name}`, { cause });
				await (faults[name] as Fault)(scene, node).catch((error: unknown) => Promise.reject(context(error)));
				await fleet.served().catch((error: unknown) => Promise.reject(context(error)));
				// Calls settle again on every node.
				for (const each of nodes.values()) expect(await each.json('stats')).toHaveProperty('shards');
			}
			stop();
			const verdict = await fleet.verdict({ identifies: shards, repeats: Number.POSITIVE_INFINITY, replays: true });
			expect(verdict).toMatchObject({ faults: [], lost: [] });
			await fleet.whole();
		},
	);
});
