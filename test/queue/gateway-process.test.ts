// A real gateway process that writes into the queue, on a strict simulated Discord, and workers that read it: every numbered event once in the
// streams, handled in order of its guild, whichever process is killed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { botKey, type GatewayConfig, intentBits, shardIdForGuild } from '@shardctl/core';
import { connectQueue, partitionCount, queueKeys, queueLayout } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { GatewayProcess } from '../../packages/gateway/test/support/gateway-process.js';
import { savedPath } from '../../packages/gateway/test/support/saved-path.js';
import { orderProblems } from './queue-support.js';

const workerFile = fileURLToPath(new URL('fixtures/core-worker.mjs', import.meta.url));

/** Events that the writer of a shard has sent to Redis at most, without an answer. */
const inScriptsAtMost = 256;

/** A worker in a process of its own; what it has handled arrives as messages. */
interface Worker {
	readonly child: ChildProcess;
	kill(signal?: NodeJS.Signals): Promise<number | null>;
}

describeWithRedis('a gateway process that writes into the queue', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let gateway: GatewayProcess;
	let keys: ReturnType<typeof queueKeys>;
	/** What the workers have handled. Those of several workers may arrive here in another order. */
	let reports: { content: string; at: string }[];
	let counts: Map<number, number>;
	let guilds: string[];

	beforeEach(async () => {
		server = await redisServer();
		redis = await connectTo(server);
		[reports, counts] = [[], new Map()];
	});
	afterEach(async () => {
		await redis?.close();
		await server?.close();
	});

	async function start(shards: number, buffer?: GatewayConfig['buffer']): Promise<void> {
		const simulator = { guilds: 40 };
		// The queue is named by the token, which the simulator makes.
		const keep = { bytes: 2 ** 28, ageMs: 600_000 };
		const config = { queue: { redis: { url: server.url }, applicationId: '', keep }, ...(buffer && { buffer }) };
		gateway = await GatewayProcess.start({ shards, simulator, config, fork: false });
		const applicationId = botKey(gateway.simulator.token);
		config.queue.applicationId = applicationId;
		keys = queueKeys(applicationId);
		await gateway.fork();
		guilds = [...gateway.simulator.world.guilds.ids({ id: 0, count: 1 })];
	}

	async function worker(group = 'g'): Promise<Worker> {
		const env = { ...process.env, DISCORD_TOKEN: gateway.simulator.token, SHARDCTL_QUEUE: server.url, GROUP: group };
		const child = fork(workerFile, { env });
		const exited = once(child, 'exit') as Promise<[number | null]>;
		const isAlive = () => child.exitCode === null && child.signalCode === null;
		onTestFinished(async () => {
			if (isAlive()) child.kill('SIGKILL');
			await exited;
		});
		child.on('message', (message: 'running' | { content: string; at: string }) => {
			if (message !== 'running') reports.push(message);
		});
		await new Promise<void>((resolve) => child.once('message', () => resolve()));
		return {
			child,
			async kill(signal = 'SIGKILL') {
				child.kill(signal);
				return (await exited)[0];
			},
		};
	}

	function say(count: number): void {
		for (let each = 0; each < count; each++) {
			const index = each % guilds.length;
			const n = (counts.get(index) ?? 0) + 1;
			counts.set(index, n);
			gateway.simulator.emit('MESSAGE_CREATE', { content: `${index}:${n}` }, { guildId: guilds[index] as string });
		}
	}

	/** `guild:n` in the order in which it was handled. */
	const handled = () => reports.toSorted((a, b) => (BigInt(a.at) < BigInt(b.at) ? -1 : 1)).map(({ content }) => content);
	const distinct = () => new Set(reports.map(({ content }) => content)).size;
	const total = () => [...counts.values()].reduce((sum, n) => sum + n, 0);
	const allHandled = () => waitFor('every message to be handled', () => distinct() === total());

	/** `guild:n` of all streams: those of one guild are in order. */
	async function streams(shards: number): Promise<string[]> {
		const partitions = Array.from({ length: partitionCount(queueLayout(shards)) }, (_, partition) => partition);
		const all = (await redis.batch(partitions.map((partition) => ['XRANGE', keys.events(partition), '-', '+']))) as [
			Buffer,
			Buffer[],
		][][];
		return all.flat().map(([, fields]) => (JSON.parse(String(fields.at(-1))) as { content: string }).content);
	}

	const pending = async (shards: number) => {
		const partitions = Array.from({ length: partitionCount(queueLayout(shards)) }, (_, partition) => partition);
		const answers = (await redis.batch(partitions.map((partition) => ['XPENDING', keys.events(partition), 'g']))) as [number][];
		return answers.reduce((sum, [count]) => sum + Number(count), 0);
	};

	it('starts its sessions when a group subscribes, and gets every event once to a Client of @discordjs/core', async () => {
		await start(2);
		expect(gateway.upstream()).toMatchObject({ identify: 0 });
		await worker();
		await waitFor('the sessions', () => gateway.upstream().identify === 2);
		await Promise.all([gateway.noticed('upstream:ready', 0), gateway.noticed('upstream:ready', 1)]);
		say(800);
		await allHandled();
		expect(orderProblems(handled(), counts)).toEqual([]);
		const written = await streams(2);
		expect([written.length, orderProblems(written, counts)]).toEqual([800, []]);
		await waitFor('everything to be acknowledged', async () => (await pending(2)) === 0);
		expect(gateway.upstream()).toMatchObject({ identify: 2, violations: 0 });
		expect(guilds.some((id) => shardIdForGuild(id, 2) === 1)).toBe(true);
	});

	it('writes each event once when it is killed, and resumes without an IDENTIFY', async () => {
		await start(2);
		await worker();
		await Promise.all([gateway.noticed('upstream:ready', 0), gateway.noticed('upstream:ready', 1)]);
		// A process that is killed before it has saved a session leaves the next one nothing to resume.
		await waitFor('the sessions to be saved', () => {
			const saved = [0, 1].map((shard) => savedPath(gateway.config.snapshotDir, shard)).filter((path) => existsSync(path));
			const text = saved.map((path) => readFileSync(path, 'latin1')).join();
			const { sessions } = gateway.simulator.state();
			return sessions.length === 2 && sessions.every(({ sessionId }) => text.includes(sessionId));
		});
		for (let round = 1; round <= 2; round++) {
			say(200);
			await waitFor('some to be handled', () => distinct() > total() - 200);
			// With events on their way.
			say(200);
			await gateway.kill();
			say(40);
			gateway.config.epoch++;
			await gateway.fork();
			await allHandled();
		}
		const written = await streams(2);
		expect([written.length, orderProblems(written, counts)]).toEqual([total(), []]);
		expect(orderProblems(handled(), counts)).toEqual([]);
		expect(gateway.upstream()).toMatchObject({ identify: 2, violations: 0 });
	});

	it('(42) has its events handled in order when workers are killed and stopped, and all of them', async () => {
		await start(1);
		const workers = [await worker(), await worker()];
		const exits: (number | null)[] = [];
		await gateway.noticed('upstream:ready', 0);
		for (let round = 0; round < 2; round++) {
			say(300);
			await waitFor('some to be handled', () => distinct() > total() - 250);
			say(200);
			const [oldest] = workers.splice(0, 1) as [Worker];
			if (round % 2 === 0) await oldest.kill();
			else exits.push(await oldest.kill('SIGTERM'));
			workers.push(await worker());
			await allHandled();
		}
		expect([exits, orderProblems(handled(), counts)]).toEqual([[0], []]);
		await waitFor('everything to be acknowledged', async () => (await pending(1)) === 0);
		const written = await streams(1);
		expect([written.length, orderProblems(written, counts)]).toEqual([total(), []]);
		expect(gateway.upstream()).toMatchObject({ identify: 1, violations: 0 });
	});

	it('sends what a worker asks to Discord, and answers from its state', async () => {
		await start(2);
		const { token } = gateway.simulator;
		const chunks: unknown[] = [];
		const intents = intentBits.GUILDS | intentBits.GUILD_MESSAGES | intentBits.GUILD_MEMBERS;
		const events = ['MESSAGE_CREATE', 'GUILD_MEMBERS_CHUNK'];
		const queue = await connectQueue({ group: 'g', events, intents, url: server.url, token, onWarning: () => {} });
		queue.handle(({ type, data, guildId }) => {
			if (type === 'GUILD_MEMBERS_CHUNK') chunks.push([guildId, (data as { nonce?: string }).nonce]);
		});
		const running = queue.run();
		await Promise.all([gateway.noticed('upstream:ready', 0), gateway.noticed('upstream:ready', 1)]);
		const [guildId = ''] = guilds;
		await waitFor('the guild', () =>
			queue.guild(guildId).then(
				() => true,
				() => false,
			),
		);
		expect(await queue.guild(guildId)).toMatchObject({ id: guildId, channels: expect.any(Array), roles: expect.any(Array) });
		await expect(queue.guild('1')).rejects.toMatchObject({ code: 'GUILD_NOT_FOUND' });
		const shard = shardIdForGuild(guildId, 2);
		await queue.send(guildId, { op: 8, d: { guild_id: guildId, query: '', limit: 1, nonce: 'one' } });
		await queue.gateway.send(shard, { op: 8, d: { guild_id: guildId, query: '', limit: 1, nonce: 'two' } });
		await expect
			.poll(() => chunks)
			.toEqual([
				[guildId, 'one'],
				[guildId, 'two'],
			]);
		const wrong = queue.gateway.send(1 - shard, { op: 8, d: { guild_id: guildId, query: '', limit: 1 } });
		await expect(wrong).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: expect.stringMatching(/no guild of shard \d is in/),
		});
		for (const payload of [
			{ op: 2, d: {} },
			{ op: 8, d: { guild_id: 7 } },
		]) {
			await expect(queue.send(guildId, payload)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		}
		await gateway.kill();
		await expect(queue.guild(guildId)).rejects.toMatchObject({ code: 'GATEWAY_UNAVAILABLE' });
		await queue.close();
		await running;
		expect(gateway.upstream()).toMatchObject({ identify: 2, violations: 0 });
	});

	it('waits while Redis is away, says so, and writes what it has kept', async () => {
		await start(1);
		await worker();
		await gateway.noticed('upstream:ready', 0);
		say(200);
		await allHandled();
		server.kill('SIGSTOP');
		say(200);
		await gateway.noticed('queue:failed');
		say(200);
		server.kill('SIGCONT');
		await allHandled();
		await gateway.noticed('queue:written');
		const written = await streams(1);
		expect([written.length, orderProblems(written, counts), orderProblems(handled(), counts)]).toEqual([600, [], []]);
		expect(gateway.upstream()).toMatchObject({ identify: 1, violations: 0 });
	});

	it('drops the oldest events of a full buffer while Redis is away, counts them, and writes the others', async () => {
		const buffer = { events: 300, bytes: 2 ** 26, ageMs: 600_000 };
		await start(1, buffer);
		await worker();
		await gateway.noticed('upstream:ready', 0);
		say(100);
		await allHandled();
		server.kill('SIGSTOP');
		const before = (await gateway.stats(0)).received;
		say(3000);
		await waitFor('all to be received', async () => (await gateway.stats(0)).received >= before + 3000);
		await gateway.noticed('queue:failed');
		const { overflowed, bufferedEvents } = await gateway.stats(0);
		expect([overflowed, bufferedEvents]).toEqual([3000 - buffer.events, buffer.events]);
		server.kill('SIGCONT');
		await waitFor('the rest to be written', async () => (await gateway.stats(0)).bufferedEvents === 0);
		const written = await streams(1);
		// Scripts that Redis had received when it was stopped may have written some of those that were given up.
		expect(written.length).toBeGreaterThanOrEqual(total() - overflowed);
		expect(written.length).toBeLessThanOrEqual(total() - overflowed + inScriptsAtMost);
		const newest = new Map<string, number>();
		for (const [guild, n] of written.map((content) => content.split(':') as [string, string])) {
			expect(Number(n)).toBeGreaterThan(newest.get(guild) ?? 0);
			newest.set(guild, Number(n));
		}
		expect([...counts].filter(([guild, n]) => newest.get(String(guild)) !== n)).toEqual([]);
		expect(gateway.upstream()).toMatchObject({ identify: 1, violations: 0 });
	});
});
