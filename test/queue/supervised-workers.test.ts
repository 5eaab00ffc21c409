// A whole fleet whose events go through a queue: a manager with gateway processes and workers, or with only one of the two, on a strict
// simulated Discord. Whatever ends, every message is handled, in order of its guild, and no session is started again.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { createShardManager, type ShardManager, type ShardManagerOptions } from 'shardctl';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { orderProblems } from './queue-support.js';

const workerFile = fileURLToPath(new URL('fixtures/supervised-worker.mjs', import.meta.url));
const identifyWindowMs = 100;

describeWithRedis('a fleet with a queue', () => {
	let server: RedisServer;
	let simulator: Simulator;
	let reports: { content: string; at: string }[];
	let counts: Map<number, number>;
	let guilds: string[];
	let story: string[];

	beforeEach(async () => {
		server = await redisServer();
		simulator = await createSimulator({ guilds: 40, shards: 2, maxConcurrency: 16, identifyWindowMs });
		guilds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
		[reports, counts, story] = [[], new Map(), []];
	});
	afterEach(async () => {
		await simulator?.stop();
		await server?.close();
	});

	function make(file: string | null, options: ShardManagerOptions = {}): ShardManager {
		const say = (...args: unknown[]) => void story.push(String(args.at(-1)));
		const manager = createShardManager(file, {
			token: simulator.token,
			api: simulator.url,
			gateway: 'queue',
			queue: server.url,
			totalShards: 2,
			control: false,
			identifyWindowMs,
			statsIntervalMs: 300,
			silent: true,
			logger: { info: say, warn: say, error: say, debug() {}, trace() {}, fatal: say } as never,
			...options,
		});
		manager.on('message', ({ message }) => reports.push(message as { content: string; at: string }));
		onTestFinished(() => manager.stop({ graceMs: 0 }));
		return manager;
	}

	function say(count: number): void {
		for (let each = 0; each < count; each++) {
			const index = each % guilds.length;
			const n = (counts.get(index) ?? 0) + 1;
			counts.set(index, n);
			simulator.emit('MESSAGE_CREATE', { content: `${index}:${n}` }, { guildId: guilds[index] as string });
		}
	}

	const handled = () => reports.toSorted((a, b) => (BigInt(a.at) < BigInt(b.at) ? -1 : 1)).map(({ content }) => content);
	const distinct = () => new Set(reports.map(({ content }) => content)).size;
	const total = () => [...counts.values()].reduce((sum, n) => sum + n, 0);
	const allHandled = () => waitFor('every message to be handled', () => distinct() === total());
	const partitionsOf = async (manager: ShardManager) =>
		(await manager.getStats({ fresh: true })).workers.map(({ queue }) => queue?.partitions ?? 0).sort((a, b) => a - b);
	const identifies = () => simulator.log.entries({ type: 'identify' }).length;

	it('runs its workers beside the gateway processes, and scales, replaces and restarts them without a gap', async () => {
		const manager = make(workerFile, { workers: 2 });
		await manager.spawn();
		await expect.poll(() => partitionsOf(manager)).toEqual([16, 16]);
		const { shards, workers, health } = await manager.getStats();
		expect(shards.map(({ shardId, workerId, ready }) => [shardId, workerId, ready])).toEqual([
			[0, null, true],
			[1, null, true],
		]);
		expect([workers.map(({ shardIds, state }) => [shardIds, state]), health.status]).toEqual([
			[
				[[], 'ready'],
				[[], 'ready'],
			],
			'healthy',
		]);
		say(400);
		expect(await manager.scale(4)).toEqual({ from: 2, to: 4 });
		say(400);
		await expect.poll(() => partitionsOf(manager)).toEqual([8, 8, 8, 8]);
		await manager.scale(1);
		expect(manager.workers.map(({ id }) => id)).toEqual([0]);
		say(400);
		const before = manager.workers[0]?.child.pid;
		await manager.deploy({ observeMs: 0 });
		expect(manager.workers[0]?.child.pid).not.toBe(before);
		say(400);
		await manager.respawnAll();
		await allHandled();
		await waitFor('everything to be acknowledged', async () => (await manager.getStats()).queue?.groups[0]?.lag === 0);
		// A worker that loses its lease, as on a machine that stalls, has its events handled again.
		expect(orderProblems(handled(), counts)).toEqual([]);
		expect(identifies()).toBe(2);
	});

	it('loses nothing when a worker and a gateway process are killed, and repeats only what was not acknowledged', async () => {
		const manager = make(workerFile, { workers: 2 });
		await manager.spawn();
		const gateway = async () => (await manager.getStats()).gateways?.[0];
		// A process that is killed before it has saved a session leaves the next one nothing to resume.
		await waitFor('the sessions to be saved', async () =>
			(await gateway())?.shards.every(({ snapshotBytes }) => snapshotBytes !== null),
		);
		say(400);
		await waitFor('some to be handled', () => distinct() > 0);
		process.kill(manager.workers[0]?.child.pid as number, 'SIGKILL');
		say(400);
		await waitFor('more to be handled', () => distinct() > 400);
		process.kill((await gateway())?.pid as number, 'SIGKILL');
		say(400);
		await allHandled();
		expect(orderProblems(handled(), counts)).toEqual([]);
		expect(identifies()).toBe(2);
	});

	it('keeps gateway processes and workers apart, under managers of their own', async () => {
		const writers = make(null, { name: 'writers' });
		await writers.spawn();
		expect(identifies()).toBe(0);
		expect((await writers.getStats()).health.causes).toMatchObject([{ kind: 'queue-unread' }]);
		const readers = make(workerFile, { name: 'readers', workers: 2, queue: { url: server.url, workersOnly: true } });
		await readers.spawn();
		await waitFor('the sessions', async () => (await writers.getStats()).shards.every(({ ready }) => ready));
		say(400);
		await allHandled();
		expect(orderProblems(handled(), counts)).toEqual([]);
		const { shards, gateways, health } = await readers.getStats();
		expect([shards, gateways, health.status]).toEqual([[], undefined, 'healthy']);
		// What is said while no worker is there waits for the next ones.
		await readers.stop();
		say(200);
		const next = make(workerFile, { name: 'next', queue: { url: server.url, workersOnly: true } });
		await next.spawn();
		await allHandled();
		expect([orderProblems(handled(), counts), identifies()]).toEqual([[], 2]);
	});

	it('refuses a queue of another shard count, and follows it where the count is its own choice', async () => {
		const first = make(null);
		await first.spawn();
		await first.stop();
		await expect(make(null, { totalShards: 3 }).spawn()).rejects.toMatchObject({
			code: 'QUEUE_MISMATCH',
			message: expect.stringMatching(/divides the events of 2 shards and this fleet has 3: start it with --shards 2/),
		});
		const auto = make(null, { totalShards: 'auto' });
		await auto.spawn();
		expect(auto.totalShards).toBe(2);
	});

	// Other systems than Linux do not show them as files.
	it.skipIf(!existsSync('/proc/self/environ'))(
		'gives its workers the address and the token in their environment, and never in their arguments',
		async () => {
			const manager = make(workerFile);
			await manager.spawn();
			const pid = String(manager.workers[0]?.child.pid);
			const shown = (name: string) => readFileSync(join('/proc', pid, name), 'utf8').split('\0');
			expect(shown('environ')).toEqual(
				expect.arrayContaining([`SHARDCTL_QUEUE=${server.url}`, `DISCORD_TOKEN=${simulator.token}`]),
			);
			const args = shown('cmdline').join(' ');
			expect(args).toContain('node');
			expect(args).not.toMatch(new RegExp(`redis:|${simulator.token}`));
		},
	);
});
