// An event that kills its worker at each delivery, among others that are handled beside it: it becomes a dead event, and they do not.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@shardctl/core';
import { DeadEvents, QueueFigures, queueLayout, ShardWriter } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { guild, keys, notingWorker, token } from './queue-support.js';

const workerFile = fileURLToPath(new URL('fixtures/poison-worker.mjs', import.meta.url));

interface Report {
	begun?: number;
	attempt?: number;
	handled?: number;
}

describeWithRedis('an event that kills its worker', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let writer: ShardWriter;
	beforeEach(async () => {
		server = await redisServer();
		redis = await connectTo(server);
		writer = new ShardWriter({
			redis,
			keys,
			layout: queueLayout(1),
			shard: 0,
			clock: systemClock,
			keep: { bytes: 2 ** 28, ageMs: 600_000 },
			onWritten: () => {},
			onChange: () => {},
			onFailed: () => {},
			onRecovered: () => {},
		});
		writer.start();
		await waitFor('the writer to write', () => writer.state === 'writing');
		await redis.batch([['HSET', keys.meta, 'since', 0]]);
		const first = await notingWorker(server.url);
		await first.queue.close();
	});
	afterEach(async () => {
		writer?.stop();
		await redis?.close();
		await server?.close();
	});

	it('is given up after three deliveries, and what was handled beside it is handled', async () => {
		const guilds = 20;
		const poison = 7;
		for (let n = 1; n <= 2 * guilds; n++) {
			const data = JSON.stringify({ n, poison: n === poison });
			writer.push({
				position: n,
				session: 'a',
				seq: n,
				type: 'MESSAGE_CREATE',
				guildId: guild(n % guilds),
				subjectId: null,
				sizeBytes: data.length,
				data: () => data,
			});
		}
		const reports: Report[] = [];
		const handled = () => new Set(reports.flatMap((report) => report.handled ?? []));
		const dead = new DeadEvents(redis, keys);
		let deaths = 0;
		for (let isOver = false; !isOver; ) {
			const child = fork(workerFile, { env: { ...process.env, DISCORD_TOKEN: token, SHARDCTL_QUEUE: server.url } });
			const exited = once(child, 'exit');
			onTestFinished(() => void child.kill('SIGKILL'));
			child.on('message', (report: Report) => reports.push(report));
			const killed = exited.then(() => true);
			const isDone = async () => handled().size === 2 * guilds - 1 && (await dead.list(10)).length === 1;
			const done = waitFor('all others to be handled, and the event to be given up', isDone).then(() => false);
			done.catch(() => {});
			isOver = !(await Promise.race([killed, done]));
			if (isOver) child.kill('SIGTERM');
			else deaths++;
			await exited;
			expect(deaths).toBeLessThanOrEqual(3);
		}
		expect(deaths).toBe(3);
		expect(reports.filter(({ begun }) => begun === poison).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
		// Neither those of other guilds nor the next one of its own.
		expect(handled().has(poison + guilds)).toBe(true);
		expect(await dead.list(10)).toMatchObject([{ key: `a:${poison}`, reason: 'its worker ended while it was handled, 3 times' }]);
		expect((await new QueueFigures(redis, keys).look()).groups).toMatchObject([{ lag: 0, dead: 1, missed: 0 }]);
	});
});
