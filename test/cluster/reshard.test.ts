// A cluster is resharded while numbered events flow, and a node is killed in the middle, at a random moment. SHARDCTL_RESHARD_KILLS=50 for more
// faults, of every kind; SHARDCTL_RESHARD_SEED=7 for others (not for the same timing).
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const kills = Number(process.env.SHARDCTL_RESHARD_KILLS ?? 1);
const seed = Number(process.env.SHARDCTL_RESHARD_SEED ?? 20_261_130);
/** About how long a resharding takes here. */
const takesMs = 4000;

interface Stats {
	gateways: { node: string; sessions: { id: number; of: number; status: string }[] }[];
	workers: { pid: number }[];
	reshard?: { state: string; to: number; done: number };
}

/** Resolves with the node that is there in its place then. */
type Fault = (fleet: ClusterFleet, node: ClusterNodeRun, nextName: string) => Promise<ClusterNodeRun>;

const faults: Record<string, Fault> = {
	async 'everything of a node is killed'(fleet, node, nextName) {
		node.kill('everything');
		return fleet.start(nextName);
	},
	async 'a manager is killed'(fleet, node, nextName) {
		node.kill('manager');
		return fleet.start(nextName);
	},
	async 'a node is drained'(fleet, node, nextName) {
		node.kill('manager', 'SIGTERM');
		expect(await node.run.exit).toBe(0);
		return fleet.start(nextName);
	},
	async 'a gateway process is killed'(_, node) {
		const [pid] = node.gatewayProcesses();
		if (pid !== undefined) process.kill(pid, 'SIGKILL');
		return node;
	},
	async 'a node is cut off from Redis for a while'(fleet, node) {
		node.toRedis.set({ lose: ['requests', 'answers'], refuse: true });
		await fleet.served();
		node.toRedis.heal();
		return node;
	},
	async 'Redis does not hear a node for a while'(fleet, node) {
		node.toRedis.set({ lose: ['answers'] });
		await fleet.served();
		node.toRedis.heal();
		return node;
	},
	async 'Redis is restarted with nothing'(fleet, node) {
		await fleet.redis.restart();
		return node;
	},
	async 'Discord drops every connection'(fleet, node) {
		fleet.simulator.faults.drop({});
		return node;
	},
};

const pick = <T>(items: readonly T[], random: () => number) => items[Math.floor(random() * items.length)] as T;

const statsOf = (node: ClusterNodeRun) => node.json<Stats>('stats');

/** Comparable, whatever their order is. */
const namesOf = (sessions: readonly (readonly [number, number])[]) =>
	sessions
		.map(([id, of]) => `${id} of ${of}`)
		.sort()
		.join();

/** Resolves when the nodes have these sessions and no others, each connected once. */
async function reached({ simulator }: ClusterFleet, node: ClusterNodeRun, count: number): Promise<void> {
	const expected = namesOf(Array.from({ length: count }, (_, id) => [id, count]));
	await waitFor(`each of ${count} sessions to have one connection, and no other to have one`, () => {
		const connected = simulator.state().sessions.filter((each) => each.connected);
		return namesOf(connected.flatMap(({ shard }) => (shard ? [shard] : []))) === expected;
	});
	await waitFor(`the nodes to have ${count} sessions`, async () => {
		const sessions = (await statsOf(node)).gateways.flatMap((gateway) => gateway.sessions);
		return namesOf(sessions.flatMap(({ id, of, status }) => (status === 'ready' ? [[id, of]] : []))) === expected;
	});
}

describeWithRedis('the resharding of a cluster', () => {
	it('replaces 4 sessions on three nodes by 8 and back, with every event handled once and the workers running on', async () => {
		const fleet = await clusterFleet({ shards: 8, sessions: 4 });
		const { a, b, c } = await fleet.startAll(['a', 'b', 'c']);
		const pids = async () => (await statsOf(a)).workers.map(({ pid }) => pid);
		const before = await pids();
		const stop = fleet.talk(200);
		await fleet.served();
		expect(await a.json('reshard', '8', '--dry-run')).toMatchObject({ from: 4, to: 8, identifies: 8, state: 'planned' });
		expect(await b.cli('reshard', '8')).toMatchObject({ code: 0, stderr: expect.stringContaining('8 session starts') });
		await reached(fleet, c, 8);
		const { gateways, reshard } = await statsOf(c);
		expect(reshard).toMatchObject({ state: 'done', to: 8, done: 4 });
		expect(new Set(gateways.map(({ node }) => node))).toEqual(new Set(['a', 'b', 'c']));
		expect(await c.cli('reshard', '--undo')).toMatchObject({ code: 0 });
		await reached(fleet, a, 4);
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: 4 + 8 + 4 })).toMatchObject({ repeats: 0 });
		expect(await pids()).toEqual(before);
	});

	it(`loses no event when ${kills === 1 ? 'a node is killed' : `there are ${kills} faults`} in the middle, and ends it`, {
		timeout: 60_000 + 60_000 * kills,
	}, async () => {
		const random = seededRandom(seed);
		const fleet = await clusterFleet({ shards: 8, sessions: 4, simulator: { maxConcurrency: 4 } });
		const nodes = Object.values(await fleet.startAll(['a', 'b']));
		const stop = fleet.talk(100);
		await fleet.served();
		for (let count = 0; count < kills; count++) {
			const sessions = count % 2 === 0 ? 8 : 4;
			const name = (count === 0 ? Object.keys(faults)[0] : pick(Object.keys(faults), random)) as string;
			const [asked, victim] = [pick(nodes, random), pick(nodes, random)];
			try {
				const ended = asked.cli('reshard', String(sessions));
				await waitFor('it to have begun', async () => ((await fleet.table()).reshard ?? '').includes(`"to":${sessions},`));
				await sleep(Math.floor(random() * takesMs));
				const next = await (faults[name] as Fault)(fleet, victim, `n${count}`);
				nodes[nodes.indexOf(victim)] = next;
				await reached(fleet, next, sessions);
				const { code, stderr } = await ended;
				// The command fails with the node that it was given to, and the resharding does not.
				expect(asked === victim && next !== victim ? 'gone' : `${code} ${stderr}`).toMatch(/^0 |^gone$/);
				await fleet.served();
			} catch (cause) {
				const entry = (await fleet.table()).reshard;
				throw new Error(`fault ${count}, to ${sessions} sessions, of node ${victim.name}: ${name}; ${entry}`, { cause });
			}
		}
		stop();
		const identifies = fleet.simulator.log.entries({ type: 'identify' }).length;
		const { repeats } = await fleet.verdict({ replays: true, repeats: Number.POSITIVE_INFINITY, identifies });
		// Sessions that were to replace others start again where their node was killed.
		expect(identifies).toBeGreaterThanOrEqual(4 + (kills > 1 ? 12 : 8));
		process.stderr.write(`notice: ${repeats} events were handled again after ${kills} faults in the middle (seed ${seed})\n`);
	});
});
