// The example of a worker in Python, on a real Redis: it is killed and stopped among events, and shares the group with workers of the library.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { QueueFigures } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { keys, type NumberedWriter, notingWorker, numberedWriter, orderProblems, token } from './queue-support.js';

const file = fileURLToPath(new URL('../../apps/examples/queue/consumer.py', import.meta.url));
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', '']).status === 0);
if (!python) process.stderr.write('NOT TESTED, because python3 is not on the PATH: the example of a worker in Python\n');

interface PythonWorker {
	readonly child: ChildProcess;
	readonly exited: Promise<unknown[]>;
}

describeWithRedis('a worker in Python', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let source: NumberedWriter;
	let handled: string[];
	let errors: string;
	const started: PythonWorker[] = [];
	beforeEach(async () => {
		server = await redisServer();
		redis = await connectTo(server);
		source = numberedWriter(redis);
		source.writer.start();
		[handled, errors] = [[], ''];
		await waitFor('the writer to write', () => source.writer.state === 'writing');
		// Nothing that can have had a partition before is there.
		await redis.batch([['HSET', keys.meta, 'since', 0]]);
	});
	afterEach(async () => {
		for (const { child, exited } of started.splice(0)) {
			child.kill('SIGKILL');
			await exited;
		}
		source?.writer.stop();
		await redis?.close();
		await server?.close();
	});

	function start(): PythonWorker {
		const env = { ...process.env, SHARDCTL_QUEUE: server.url, DISCORD_TOKEN: token, PYTHONDONTWRITEBYTECODE: '1' };
		const child = spawn(python as string, [file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
		const worker = { child, exited: once(child, 'close') };
		started.push(worker);
		let rest = '';
		child.stdout.on('data', (data: Buffer) => {
			const lines = (rest + data.toString()).split('\n');
			// One that is killed may leave the beginning of a line.
			rest = lines.pop() as string;
			handled.push(...lines.map((line) => line.split(' ')[1] as string));
		});
		child.stderr.on('data', (data: Buffer) => {
			errors += data.toString();
		});
		return worker;
	}

	/** Or a worker has failed. */
	const until = async (what: string, isSo: () => boolean | Promise<boolean>) => {
		await waitFor(what, async () => errors !== '' || (await isSo()));
		expect(errors).toBe('');
	};
	const write = (count: number, guilds = 40) => {
		for (let n = 0; n < count; n++) source.write(n % guilds);
	};
	const group = async () => (await new QueueFigures(redis, keys).look()).groups[0];
	const isMember = (count: number) => async () => (await group())?.members === count;

	it.skipIf(!python)('handles every event in order, whether it is killed or stopped', async () => {
		const first = start();
		await until('it to join', isMember(1));
		write(600);
		await until('some to be handled', () => handled.length > 100);
		first.child.kill('SIGKILL');
		await first.exited;
		const second = start();
		await until('all to be handled', () => new Set(handled).size === 600);
		write(600);
		await until('some more to be handled', () => new Set(handled).size > 700);
		second.child.kill('SIGTERM');
		expect(await second.exited).toEqual([0, null]);
		// It left, so its partitions are free at once.
		expect((await group())?.members).toBe(0);
		start();
		await until('all to be handled', () => new Set(handled).size === 1200);
		await expect.poll(async () => await group()).toMatchObject({ lag: 0, pending: 0, missed: 0, dead: 0 });
		expect([orderProblems(handled, source.counts), errors]).toEqual([[], '']);
	});

	it.skipIf(!python)('shares the partitions of a group with workers of the library', async () => {
		start();
		await until('it to join', isMember(1));
		write(400);
		const other = await notingWorker(server.url, { group: 'python', leaseMs: 3000 });
		await until('each to have its share', () => {
			return other.queue.stats().members === 2 && other.queue.stats().partitions === 8;
		});
		write(400);
		await until('all to be handled', () => new Set([...handled, ...other.handled]).size === 800);
		await other.queue.close();
		write(400);
		await until('all to be handled', () => new Set([...handled, ...other.handled]).size === 1200);
		expect([other.handled.length > 0, errors]).toEqual([true, '']);
	});
});
