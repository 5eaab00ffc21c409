// The sessions of a fleet with a queue are replaced by more and by fewer while numbered messages flow: the streams and their readers stay, and each
// message is in the streams once, in order of its guild, also when a gateway process is killed behind the cut.
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { createShardManager, type ShardManager } from 'shardctl';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { orderProblems } from './queue-support.js';

const workerFile = fileURLToPath(new URL('fixtures/supervised-worker.mjs', import.meta.url));
const [totalShards, guildCount, perTick, tickMs] = [8, 80, 6, 20];

describeWithRedis('a fleet with a queue that is resharded', () => {
	let server: RedisServer;
	let simulator: Simulator;
	beforeEach(async () => {
		server = await redisServer();
		simulator = await createSimulator({ guilds: guildCount, shards: 2, maxConcurrency: 16, identifyWindowMs: 100 });
	});
	afterEach(async () => {
		await simulator?.stop();
		await server?.close();
	});

	const identifies = () => simulator.log.entries({ type: 'identify' }).length;

	it('has every message handled once and in order, by workers that are not restarted', { timeout: 120_000 }, async () => {
		const manager: ShardManager = createShardManager(workerFile, {
			token: simulator.token,
			api: simulator.url,
			gateway: { mode: 'queue', sessions: 2, shardsPerGateway: totalShards },
			queue: server.url,
			totalShards,
			control: false,
			identifyWindowMs: 100,
			respawn: { initialDelayMs: 1, maxDelayMs: 1 },
			silent: true,
			logger: { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {} } as never,
		});
		onTestFinished(() => manager.stop({ graceMs: 0 }));
		const reports: { content: string; at: string }[] = [];
		manager.on('message', ({ message }) => reports.push(message as { content: string; at: string }));
		await manager.spawn();
		expect(identifies()).toBe(2);
		const gateway = async () => (await manager.getStats()).gateways?.[0];
		const saved = () =>
			waitFor('the sessions to be served and saved', async () => {
				const { gateways = [], shards } = await manager.getStats();
				const all = gateways.flatMap((each) => each.shards);
				return (
					all.length === totalShards &&
					all.every(({ snapshotBytes }) => snapshotBytes !== null) &&
					shards.every(({ ready }) => ready)
				);
			});
		await saved();
		const pids = manager.workers.map(({ child }) => child.pid);

		const guilds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
		const counts = new Map<number, number>();
		let next = 0;
		const say = setInterval(() => {
			for (let each = 0; each < perTick; each++) {
				const index = next++ % guilds.length;
				const n = (counts.get(index) ?? 0) + 1;
				counts.set(index, n);
				simulator.emit('MESSAGE_CREATE', { content: `${index}:${n}` }, { guildId: guilds[index] as string });
			}
		}, tickMs);
		onTestFinished(() => clearInterval(say));

		expect(await manager.reshard({ sessions: 4 })).toMatchObject({ from: 2, to: 4, identifies: 4 });
		await saved();
		const pid = (await gateway())?.pid as number;
		process.kill(pid, 'SIGKILL');
		await waitFor('another gateway process', async () => ![pid, null, undefined].includes((await gateway())?.pid));
		await saved();
		expect(await manager.reshard({ sessions: 2 })).toMatchObject({ from: 4, to: 2, identifies: 2 });
		expect((await gateway())?.sessions.map(({ id, of }) => [id, of])).toEqual([
			[0, 2],
			[1, 2],
		]);
		clearInterval(say);

		const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
		const handled = () => reports.toSorted((a, b) => (BigInt(a.at) < BigInt(b.at) ? -1 : 1)).map(({ content }) => content);
		await waitFor('every message to be handled', () => new Set(handled()).size === total);
		expect(orderProblems(handled(), counts)).toEqual([]);
		// Each event has a number in its partition. Figures may be some seconds old.
		const written = async () => (await manager.getStats()).queue?.written ?? 0;
		await waitFor('figures of now', async () => (await written()) >= total);
		expect(await written()).toBe(total);
		expect(manager.workers.map(({ child }) => child.pid)).toEqual(pids);
		// The first two, and those of the new counts: the killed process resumed.
		expect(identifies()).toBe(8);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});
});
