// The example of a worker in Python, on a real Redis: it is killed and stopped among events, and shares the group with workers of the library.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DeadEvents, QueueFigures, removeGroup } from '@shardctl/queue';
import { tempDir, waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { certificateAuthority, hasOpenssl } from '../../packages/cluster/test/support/certificates.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { keys, type NumberedWriter, notingWorker, numberedWriter, orderProblems, token } from './queue-support.js';

const file = fileURLToPath(new URL('../../apps/examples/queue/consumer.py', import.meta.url));
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', '']).status === 0);
if (!python) process.stderr.write('NOT TESTED, because python3 is not on the PATH: the example of a worker in Python\n');

const breaking = `
import builtins, os, runpy, sys
printed = builtins.print
def print(kind, content, **rest):
    if content in ('1:2', '2:2'):
        printed('TRIED', content, flush=True)
        if content == '2:2': os._exit(1)
        raise LookupError('the handler fails')
    printed(kind, content, **rest)
builtins.print = print
sys.path.insert(0, os.path.dirname(sys.argv[1]))
runpy.run_path(sys.argv[1])
`;

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
		[handled, tried, errors] = [[], [], ''];
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

	/** Those that a handler was called with and has not handled. */
	let tried: string[];

	/** @param broken The handler of the example is one line that prints: with this it fails for `1:2`, and ends its process for `2:2`. */
	function start({ broken = false } = {}): PythonWorker {
		const env = { ...process.env, SHARDCTL_QUEUE: server.url, DISCORD_TOKEN: token, PYTHONDONTWRITEBYTECODE: '1' };
		const child = spawn(python as string, broken ? ['-c', breaking, file] : [file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
		const worker = { child, exited: once(child, 'close') };
		started.push(worker);
		let rest = '';
		child.stdout.on('data', (data: Buffer) => {
			const lines = (rest + data.toString()).split('\n');
			// One that is killed may leave the beginning of a line.
			rest = lines.pop() as string;
			for (const line of lines) {
				const [kind, content = ''] = line.split(' ');
				(kind === 'TRIED' ? tried : handled).push(content);
			}
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

	it.skipIf(!python)('gets only what is new where its group was removed while it was paused', async () => {
		const worker = start();
		await until('it to join', isMember(1));
		write(40);
		await until('all to be acknowledged', async () => handled.length === 40 && (await group())?.lag === 0);
		worker.child.kill('SIGSTOP');
		write(40);
		await until('its lease to be over', isMember(0));
		expect(await removeGroup(redis, keys, 'python')).toEqual({ unhandled: 40, dead: 0 });
		worker.child.kill('SIGCONT');
		await until('it to join again', isMember(1));
		write(40);
		await until('the new ones to be handled', () => handled.length >= 80);
		await expect.poll(async () => await group()).toMatchObject({ lag: 0, pending: 0, missed: 0 });
		expect(handled.slice(40).filter((each) => !each.endsWith(':3'))).toEqual([]);
	});

	it.skipIf(!python)('gives up what fails three times and what ends its worker three times, and nothing else', async () => {
		const first = start({ broken: true });
		await until('it to join', isMember(1));
		for (const number of [1, 1, 1]) source.write(number);
		await until('one to be given up', async () => (await group())?.dead === 1);
		// Here and below: where it lost its lease for a moment, what it had read counts as delivered once.
		expect(tried.length).toBeLessThanOrEqual(3);
		expect(new Set(tried.splice(1))).toEqual(new Set(['1:2']));
		for (let n = 0; n < 60; n++) source.write(n % 20);
		const total = [...source.counts.values()].reduce((sum, n) => sum + n, 0);
		await first.exited;
		const isDone = () => new Set(handled).size === total - 2;
		let ended = 1;
		for (let worker = start({ broken: true }); !isDone(); worker = start({ broken: true })) {
			await until('it to end, or to be done', () => worker.child.exitCode !== null || isDone());
			if (isDone()) break;
			ended++;
			await worker.exited;
		}
		await expect.poll(async () => await group()).toMatchObject({ lag: 0, pending: 0, missed: 0, dead: 2 });
		expect([2, 3]).toContain(ended);
		const reasons = (await new DeadEvents(redis, keys).list(10)).map(({ reason }) => reason);
		expect(reasons).toEqual(['its worker ended while it was handled, 3 times', "LookupError('the handler fails')"]);
		// A Redis that has lost the group gets it again.
		await redis.batch([['HDEL', keys.groups, 'python']]);
		await expect.poll(async () => (await redis.batch([['HEXISTS', keys.groups, 'python']]))[0], { timeout: 10_000 }).toBe(1);
		expect(errors).toBe('');
	});

	it.skipIf(!python)(
		'connects with the user, the password and the database of its address, and refuses other addresses',
		async () => {
			await redis.batch([['ACL', 'SETUSER', 'a@b', 'on', '>p:w@/%', '~*', '&*', '+@all']]);
			const text = "import sys\nfrom redis_connection import Redis\nprint(Redis(sys.argv[1])('CLIENT', 'INFO'))";
			const connect = (url: string) => {
				const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
				return promisify(execFile)(python as string, ['-c', text, url], { cwd: dirname(file), env });
			};
			const { host } = new URL(server.url);
			const { stdout } = await connect(`redis://a%40b:p%3Aw%40%2F%25@${host}/3`);
			expect(stdout).toMatch(/ db=3 .* user=a@b /);
			await expect(connect(`http://${host}`)).rejects.toThrow(/begins with redis:\/\/ or rediss:\/\/, not http:/);
			const greeted: number[] = [];
			const listener = createServer((socket) => {
				socket.on('error', () => {});
				socket.once('data', (data) => {
					greeted.push(data[0] as number);
					socket.destroy();
				});
			});
			onTestFinished(() => void listener.close());
			await once(listener.listen(0, '127.0.0.1'), 'listening');
			await expect(connect(`rediss://127.0.0.1:${(listener.address() as AddressInfo).port}`)).rejects.toThrow(/ssl|EOF|reset/i);
			// A handshake of TLS (RFC 8446, 5.1).
			expect(greeted).toEqual([22]);
		},
	);

	it.skipIf(!python || !hasOpenssl)('connects over TLS with the certificates that shardctl gives its workers', async () => {
		const authority = certificateAuthority(tempDir());
		const secure = await redisServer({ tls: { ca: authority.ca, ...authority.sign('server'), clients: 'yes' } });
		onTestFinished(() => secure.close());
		const text = "import sys\nfrom redis_connection import Redis\nprint(Redis(sys.argv[1])('PING'))";
		const connect = (tls: object | undefined) => {
			const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...(tls && { SHARDCTL_QUEUE_TLS: JSON.stringify(tls) }) };
			return promisify(execFile)(python as string, ['-c', text, secure.url], { cwd: dirname(file), env });
		};
		const given = { ca: authority.readCa(), ...authority.sign('worker').read() };
		expect((await connect(given)).stdout).toBe('PONG\n');
		await expect(connect(undefined)).rejects.toThrow(/certificate verify failed/i);
		await expect(connect({ ca: given.ca })).rejects.toThrow(/certificate required|ssl|EOF|reset/i);
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
