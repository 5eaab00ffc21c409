// Random faults, one after the other, over three nodes that share one Redis and one simulated Discord. After each of them the fleet must be
// complete again, and a call that was made before it has settled; at the end no event is lost or out of order, no guild had two owners, no more
// was repeated than Discord sent again and than had not been saved, and Discord saw one IDENTIFY for each session that it ended.
//
// SHARDCTL_CLUSTER_FAULTS=1000 for more, SHARDCTL_CLUSTER_SEED=7 for others (not for the same timing).
import { seededRandom, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const total = Number(process.env.SHARDCTL_CLUSTER_FAULTS ?? 6);
const seed = Number(process.env.SHARDCTL_CLUSTER_SEED ?? 20_261_130);
const shards = 6;
const perSecond = 100;
const names = ['a', 'b', 'c'] as const;
const leaseMs = 1500;
/** What a node may release and not save: while its lease is valid without an answer of Redis, and until a save after that is answered. */
const unsavedMs = 2 * leaseMs;

interface Scene {
	readonly fleet: ClusterFleet;
	readonly nodes: Map<string, ClusterNodeRun>;
	/** In [0, 1). */
	random(): number;
	/** Nothing is said in any guild meanwhile, and all of it was handled before. */
	quietly(work: () => Promise<void>): Promise<void>;
	/** Sessions that Discord has ended. */
	ended: number;
}

type Fault = (scene: Scene, node: ClusterNodeRun) => Promise<void>;

let nextName = 1;
const pick = <T>(items: readonly T[], random: () => number) => items[Math.floor(random() * items.length)] as T;

/** Under its name, which a killed node has until its lease is over; or under another, which is free at once. */
async function restarted({ fleet, nodes, random }: Scene, { name }: ClusterNodeRun): Promise<void> {
	const [place] = [...nodes].find(([, node]) => node.name === name) as [string, ClusterNodeRun];
	nodes.set(place, await fleet.start(random() < 0.5 ? name : `${place}${nextName++}`));
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
		stopped(scene, [node.run.pid, ...node.gatewayProcesses()]),
	// Maybe one that waits for a session.
	'a gateway process is killed': async ({ random }, node) => {
		const pid = pick(node.gatewayProcesses(), random);
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
	// No session delivers what happens between two sessions.
	'Discord ends a session': (scene) =>
		scene.quietly(async () => {
			const { fleet, random } = scene;
			const identifies = () => fleet.simulator.log.entries({ type: 'identify' }).length;
			const before = identifies();
			fleet.simulator.faults.invalidate({ shard: Math.floor(random() * shards), resumable: false });
			scene.ended++;
			await waitFor('the session to be identified', () => identifies() > before);
			await fleet.whole();
		}),
	'everything of a node is killed while another is cut off from Redis': async (scene, node) => {
		const other = [...scene.nodes.values()].find((each) => each !== node) as ClusterNodeRun;
		other.toRedis.set({ lose: ['answers'] });
		node.kill('everything');
		await scene.fleet.served();
		other.toRedis.heal();
		await restarted(scene, node);
	},
};

/** How many events Discord has sent again, so far; its log is bounded. */
function replayCounter({ simulator }: ClusterFleet) {
	let after = 0;
	let sum = 0;
	return {
		count() {
			for (const { number, replayed } of simulator.log.entries({ type: 'resume', after })) {
				after = Math.max(after, number);
				sum += typeof replayed === 'number' ? replayed : 0;
			}
			return sum;
		},
	};
}

describeWithRedis('three nodes and random faults', () => {
	it.each([true, false])(
		`lose nothing and have no two owners after ${total} faults (seed ${seed}; Redis keeps its data: %s)`,
		async (persist) => {
			const random = seededRandom(seed + Number(persist));
			const fleet = await clusterFleet({ shards, persist, lease: `${leaseMs}ms` });
			const nodes = new Map(Object.entries(await fleet.startAll(names)));
			await fleet.whole();
			let stop = fleet.talk(perSecond);
			const scene: Scene = {
				fleet,
				nodes,
				random,
				ended: 0,
				async quietly(work) {
					stop();
					await fleet.handledAll();
					await work();
					stop = fleet.talk(perSecond);
				},
			};
			const replays = replayCounter(fleet);
			await fleet.served();
			for (let done = 0; done < total; done++) {
				const name = pick(Object.keys(faults), random);
				const node = nodes.get(pick(names, random)) as ClusterNodeRun;
				const caller = nodes.get(pick(names, random)) as ClusterNodeRun;
				const context = (cause: unknown) => new Error(`fault ${done}, of node ${node.name}: ${name}`, { cause });
				try {
					// It may fail, and may not hang.
					const call = caller.cli('stats');
					await (faults[name] as Fault)(scene, node);
					await fleet.served();
					await call;
					// Calls succeed again: it calls every node, and each is asked at some time.
					const asked = nodes.get(pick(names, random)) as ClusterNodeRun;
					expect(await asked.json('stats')).toHaveProperty('shards');
				} catch (error) {
					throw context(error);
				}
				replays.count();
				if (process.env.SHARDCTL_CLUSTER_FAULTS && (done + 1) % 25 === 0) process.stdout.write(`  ${done + 1} faults\n`);
			}
			stop();
			const verdict = await fleet.verdict({
				identifies: shards + scene.ended,
				repeats: replays.count(),
				replays: true,
			});
			expect(verdict.reachMs).toBeLessThan(unsavedMs);
			if (process.env.SHARDCTL_CLUSTER_FAULTS) {
				const { repeats, reachMs } = verdict;
				process.stdout.write(
					`${total} faults, ${scene.ended} sessions ended by Discord: ${repeats} events repeated, from the last ${reachMs} ms\n`,
				);
			}
			await fleet.whole();
		},
		600_000 + total * 60_000,
	);
});
