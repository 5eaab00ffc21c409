// A cluster is resharded while numbered events flow, and a node is killed at each step of it. SHARDCTL_RESHARD_KILLS=50 for faults of every kind at
// random moments; SHARDCTL_RESHARD_SEED=7 for others (not for the same timing). SHARDCTL_RESHARD_RATE, _GUILDS and _SHARDS for more events, guilds and shards.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { botKey } from '@shardctl/core';
import { isAlive, seededRandom, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { clusterKeys } from '../../packages/cluster/src/redis/keys.js';
import { RedisSnapshotStore } from '../../packages/cluster/src/snapshots/redis-snapshot-store.js';
import { connectTo, describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const { env } = process;
const kills = Number(env.SHARDCTL_RESHARD_KILLS ?? 0);
const seed = Number(env.SHARDCTL_RESHARD_SEED ?? 20_261_130);
const perSecond = Number(env.SHARDCTL_RESHARD_RATE ?? 200);
const guilds = Number(env.SHARDCTL_RESHARD_GUILDS ?? 16);
const shards = Number(env.SHARDCTL_RESHARD_SHARDS ?? 8);
/** Groups that are replaced at the same time in the tests with faults. */
const atOnce = 2;
/** About how long a resharding takes here. */
const takesMs = 4000;

interface Stats {
	gateways: { node: string; sessions: { id: number; of: number; status: string }[] }[];
	workers: { pid: number; shardIds: number[] }[];
	reshard?: { state: string; to: number; done: number; longestPauseMs: number; waitsFor?: string[] };
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

/** A group, as Redis and Discord see it. */
interface Look {
	isMarked: boolean;
	/** Not taken out of the table. */
	isLeft: boolean;
	/** Session starts of the new sessions. */
	started: number;
	/** Connected sessions that are to be replaced, and new ones that have all guilds. */
	former: number;
	ready: number;
	/** The gateway process has written down that the new sessions count. */
	isWritten: boolean;
}

/** In order. `each`: how many sessions the group ends with. */
const steps: Record<string, (look: Look, each: number) => boolean> = {
	'the group is marked': ({ isMarked, isLeft }) => isMarked && isLeft,
	'a session has started': ({ started }) => started > 0,
	'all sessions have started': ({ ready, isWritten }, each) => ready === each || isWritten,
	'the sessions are written down': ({ isWritten }) => isWritten,
	'the former sessions have ended': ({ isWritten, former }) => isWritten && former === 0,
	'the group is taken out of the table': ({ isWritten, isLeft }) => isWritten && !isLeft,
};

/** Reads with how many sessions the shards of a group have been written down. */
async function recordsOf({ redis: server, simulator }: ClusterFleet): Promise<(group: number) => Promise<number[]>> {
	const redis = await connectTo(server);
	onTestFinished(() => redis.close());
	const bot = botKey(simulator.token);
	const keys = clusterKeys(bot);
	return async (group) => {
		const data = await new RedisSnapshotStore({ redis, keys, scope: `session-${group}` }).read(`${bot}.sessions.json`);
		const { sessions } = JSON.parse(data ? Buffer.from(data).toString() : '{"sessions":[]}') as { sessions: { of: number }[] };
		return sessions.map(({ of }) => of);
	};
}

/** Stops every process of a node where it is; resolves with what is to be seen once nothing of it is on its way any more. */
async function stopped<T>(node: ClusterNodeRun, look: () => Promise<T>): Promise<T> {
	for (const pid of node.processes()) if (isAlive(pid)) process.kill(pid, 'SIGSTOP');
	let last = '';
	return waitFor(
		'nothing to change any more',
		async () => {
			const seen = await look();
			const before = last;
			last = JSON.stringify(seen);
			return before === last ? seen : undefined;
		},
		{ everyMs: 100 },
	);
}

describeWithRedis('the resharding of a cluster', () => {
	it('replaces 4 sessions on three nodes by 8 and back, with every event handled once and the workers running on', async () => {
		const fleet = await clusterFleet({ shards, sessions: 4, guilds });
		const { a, b, c } = await fleet.startAll(['a', 'b', 'c']);
		const pids = async () => (await statsOf(a)).workers.map(({ pid }) => pid);
		const before = await pids();
		const stop = fleet.talk(perSecond);
		await fleet.served();
		expect(await a.json('reshard', '8', '--dry-run')).toMatchObject({ from: 4, to: 8, identifies: 8, state: 'planned' });
		expect(await b.cli('reshard', '8')).toMatchObject({ code: 0, stderr: expect.stringContaining('8 session starts') });
		await reached(fleet, c, 8);
		const { gateways, reshard } = await statsOf(c);
		expect(reshard).toMatchObject({ state: 'done', to: 8, done: 4 });
		expect(new Set(gateways.map(({ node }) => node))).toEqual(new Set(['a', 'b', 'c']));
		expect(await c.cli('reshard', '--undo')).toMatchObject({ code: 0 });
		await reached(fleet, a, 4);
		const back = (await statsOf(a)).reshard;
		await fleet.served();
		stop();
		const { repeats, longestPauseMs } = await fleet.verdict({ identifies: 4 + 8 + 4 });
		expect(repeats).toBe(0);
		expect(await pids()).toEqual(before);
		process.stderr.write(
			`notice: ${fleet.handled().length} events of ${guilds} guilds; no event was delivered for at most ${reshard?.longestPauseMs} and ${back?.longestPauseMs} ms, and no guild handled one for ${longestPauseMs} ms\n`,
		);
	});

	it('continues when a node is killed at each of its steps, and starts again only sessions of which nothing was written down', {
		timeout: 600_000,
	}, async () => {
		const fleet = await clusterFleet({ shards: 8, sessions: 4, simulator: { maxConcurrency: 4 } });
		const nodes = Object.values(await fleet.startAll(['a', 'b'])) as [ClusterNodeRun, ClusterNodeRun];
		const record = await recordsOf(fleet);
		const stop = fleet.talk(100);
		await fleet.served();
		let identifies = 4;
		const notices: string[] = [];
		// Growing and shrinking take turns, so the other way round each step is hit in the other direction.
		const inTurn = [...Object.entries(steps), ...(kills > 0 ? Object.entries(steps).toReversed() : [])];
		for (const [count, [name, isAt]] of inTurn.entries()) {
			const to = count % 2 === 0 ? 8 : 4;
			const owned = await Promise.all(nodes.map((node) => fleet.sessionsOf(node)));
			const [victim, other] = (owned[0]?.length ? nodes : nodes.toReversed()) as [ClusterNodeRun, ClusterNodeRun];
			const after = fleet.simulator.log.entries().at(-1)?.number ?? 0;
			const look = async (of: number): Promise<Look> => {
				const { reshard, nodes: rows } = await fleet.table();
				const { active, left } = JSON.parse(reshard ?? '{}') as { active: Record<string, string>; left: number[] };
				const inGroup = (shard: unknown) => (shard as [number, number])[0] % 4 === of;
				const begun = fleet.simulator.log.entries({ type: 'identify', after });
				const connected = fleet.simulator.state().sessions.filter((each) => each.connected && inGroup(each.shard));
				return {
					isMarked: rows.some(({ node, member }) => member?.pid === victim.run.pid && active[of] === node),
					isLeft: left.includes(of),
					started: begun.filter(({ shard }) => inGroup(shard)).length,
					former: connected.filter(({ shardCount }) => shardCount !== to).length,
					ready: connected.filter(({ shardCount, pendingGuilds }) => shardCount === to && pendingGuilds === 0).length,
					isWritten: (await record(of)).includes(to),
				};
			};
			const ended = other.cli('reshard', String(to));
			const isToThis = async () => ((await fleet.table()).reshard ?? '').includes(`"to":${to},`);
			await waitFor('it to have begun', isToThis, { everyMs: 2 });
			// A move that evens out the nodes may still be under way.
			const looksOfVictim = async () => Promise.all((await fleet.sessionsOf(victim)).map(look));
			const hit = async () => (await looksOfVictim()).some((each) => isAt(each, to / 4));
			await waitFor(`step "${name}"`, hit, { everyMs: 2 });
			const looks = await stopped(victim, looksOfVictim);
			const wasted = looks.map(({ started, isWritten }) => (isWritten ? 0 : started)).reduce((sum, starts) => sum + starts, 0);
			identifies += to + wasted;
			notices.push(`${name}, to ${to}: ${wasted} again`);
			victim.kill('everything');
			nodes[nodes.indexOf(victim)] = await fleet.start(`n${count}`);
			await reached(fleet, other, to);
			expect(await ended).toMatchObject({ code: 0 });
			await fleet.served();
			// It was still at that step when it was stopped.
			expect(looks.some((each) => isAt(each, to / 4))).toBe(true);
			fleet.expectIdentifies(identifies);
		}
		stop();
		const { repeats } = await fleet.verdict({ replays: true, repeats: Number.POSITIVE_INFINITY, identifies });
		process.stderr.write(`notice: ${repeats} events were handled again; ${notices.join('; ')}\n`);
	});

	it('says what it waits for, before and while it does', { timeout: 120_000 }, async () => {
		const deaths = tempDir('shardctl-deaths-');
		const fleet = await clusterFleet({ shards: 4, sessions: 2, env: { DEATHS: deaths } });
		const { a, b } = await fleet.startAll(['a', 'b']);
		const [group] = (await fleet.sessionsOf(b)) as [number];
		const { workers } = await statsOf(b);
		const worker = workers.find(({ shardIds }) => shardIds.includes(group));
		const die = (times: number) => writeFileSync(join(deaths, String(group)), String(times));
		die(1_000_000);
		process.kill(worker?.pid as number, 'SIGKILL');
		const why = new RegExp(`^node b: worker \\d+ \\(shard ${group}\\) is restarting`);
		await waitFor('the node to know', async () => {
			const { waitsFor } = await a.json<{ waitsFor: string[] }>('reshard', '4', '--dry-run');
			return waitsFor.some((reason) => why.test(reason));
		});
		const { stdout } = await a.cli('reshard', '4', '--dry-run');
		expect(stdout).toMatch(/sessions afterwards: 2 on node a, 2 on node b\nit would wait: node b: worker/);
		const ended = a.cli('reshard', '4');
		await waitFor('only that group to be left', async () => {
			const { reshard } = await statsOf(a);
			return reshard?.done === 1 && reshard.waitsFor?.some((reason) => why.test(reason));
		});
		die(0);
		const { code, stderr } = await ended;
		expect([code, stderr]).toEqual([0, expect.stringMatching(/1 of 2 groups replaced, waits: node b: worker/)]);
		await reached(fleet, b, 4);
	});

	it.skipIf(kills === 0)(
		`loses no event when there are ${kills} faults in the middle, and ends it`,
		{
			timeout: 60_000 + 60_000 * kills,
		},
		async () => {
			const random = seededRandom(seed);
			const fleet = await clusterFleet({ shards: 8, sessions: 4, simulator: { maxConcurrency: 4 } });
			const nodes = Object.values(await fleet.startAll(['a', 'b']));
			const stop = fleet.talk(100);
			await fleet.served();
			for (let count = 0; count < kills; count++) {
				const sessions = count % 2 === 0 ? 8 : 4;
				const name = pick(Object.keys(faults), random);
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
			// Sessions that were to replace others start again where a fault has ended them, and no others.
			const needed = 4 + Array.from({ length: kills }, (_, count) => (count % 2 === 0 ? 8 : 4)).reduce((sum, to) => sum + to, 0);
			expect(identifies).toBeGreaterThanOrEqual(needed);
			expect(identifies).toBeLessThanOrEqual(needed + kills * atOnce * 2);
			process.stderr.write(
				`notice: ${repeats} events were handled again after ${kills} faults in the middle (seed ${seed}), and ${identifies - needed} sessions started again\n`,
			);
		},
	);
});
