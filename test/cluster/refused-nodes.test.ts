// Nodes that may not join: one clear message each with what to do, the exit status of its kind, nothing left behind, and the nodes that run are
// undisturbed.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, clusterFleet } from './cluster-fleet.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const own = JSON.parse(readFileSync(join(root, 'packages/manager/package.json'), 'utf8')) as { version: string };

/** A copy of the built program with another version, and with another protocol between nodes where that is given. */
function otherRelease({ version, protocol }: { version: string; protocol?: number }): string[] {
	const copy = tempDir('shardctl-release-');
	const isBuilt = (path: string) => !/\/(src|test|node_modules\/\.vite|\.turbo|tsconfig\.json)$/.test(path);
	for (const folder of ['packages', 'apps/shardctl']) {
		mkdirSync(join(copy, folder, '..'), { recursive: true });
		cpSync(join(root, folder), join(copy, folder), { recursive: true, verbatimSymlinks: true, filter: isBuilt });
	}
	symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
	for (const folder of ['packages/manager', 'apps/shardctl']) {
		const file = join(copy, folder, 'package.json');
		writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), version }));
	}
	const file = join(copy, 'packages/cluster/dist/node/join-refusal.js');
	const text = readFileSync(file, 'utf8');
	expect(text).toMatch(/^export const protocol = 2;$/m);
	if (protocol !== undefined) {
		writeFileSync(file, text.replace(/^export const protocol = 2;$/m, `export const protocol = ${protocol};`));
		// The program is a bundle of these.
		execFileSync(process.execPath, ['bundle-cli.mjs'], { cwd: join(copy, 'apps/shardctl') });
	}
	return [process.execPath, join(copy, 'apps/shardctl/bin/shardctl.js')];
}

/** A Redis that says it is of another version, of as many characters. */
async function redisThatSays(port: number, version: string): Promise<string> {
	const server = createServer((near) => {
		const far = connectSocket(port, '127.0.0.1');
		near.pipe(far);
		far.on('data', (data) =>
			near.write(data.toString('latin1').replace(/redis_version:[\d.]+/, `redis_version:${version}`), 'latin1'),
		);
		for (const [one, other] of [
			[near, far],
			[far, near],
		] as const) {
			one.on('error', () => other.destroy());
			one.on('close', () => other.destroy());
		}
	});
	onTestFinished(() => void server.close());
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Refused {
	args?: readonly string[];
	env?: Record<string, string>;
	command?: readonly string[];
}

async function expectRefused(
	fleet: ClusterFleet,
	name: string,
	{ args = [], ...options }: Refused,
	message: RegExp,
): Promise<void> {
	const node = await fleet.launch(name, args, options);
	const code = await Promise.race([node.run.exit, node.run.message(/^fleet ready/).then(() => 'it has joined')]);
	// The event that the fleet has ended has the same text.
	const ends = node.run.json().filter(({ event }) => event !== 'fleet:stopped');
	const said = [...ends.map(({ msg }) => String(msg)), node.run.stderr()].filter((line) => message.test(line));
	expect({ code, said: said.length, all: said.length === 1 ? '' : node.run.stdout() + node.run.stderr() }).toEqual({
		code: 1,
		said: 1,
		all: '',
	});
	expect(node.processes()).toEqual([]);
	expect(readdirSync(node.sandbox.stateDir).filter((file) => /\.(sock|lock)$/.test(file))).toEqual([]);
}

describeWithRedis('a node that may not join', () => {
	it('(19, 21, 22, 35) is refused with what to do, and the cluster is undisturbed', async () => {
		const fleet = await clusterFleet({ shards: 2 });
		const a = await fleet.start('a');
		const stop = fleet.talk(100);
		const cases: [string, Refused, RegExp][] = [
			[
				'another shard count',
				{ args: ['--shards', '4', '--gateway-sessions', '4'] },
				/"totalShards":2.*"totalShards":4.*same shards and sessions/,
			],
			['another lease', { args: ['--lease', '9s'] }, /"leaseMs":1500.*"leaseMs":9000.*same --lease/],
			[
				'another place of the state',
				{ args: ['--cluster-state', 'none'] },
				/"movable":true.*"movable":false.*--gateway and --cluster-state/,
			],
			[
				'another name of the fleet',
				{ args: ['--name', 'other'] },
				/run the fleet "fleet", and this one was started as "other".*--name fleet/,
			],
			[
				'another secret',
				{ env: { SHARDCTL_CLUSTER_SECRET: 'a secret that no other node has' } },
				/sign their messages with another secret.*SHARDCTL_CLUSTER_SECRET/,
			],
			[
				'another protocol',
				{ command: otherRelease({ version: '99.1.0', protocol: 1 }) },
				new RegExp(`run shardctl ${own.version} \\(protocol 2\\), and this one is shardctl 99\\.1\\.0 \\(protocol 1\\)`),
			],
		];
		for (const [what, refused, message] of cases) {
			await expectRefused(fleet, 'b', refused, message).catch((cause: unknown) => {
				throw new Error(what, { cause });
			});
		}
		await expectRefused(fleet, 'a', {}, /^a node named "a" is in this cluster.*choose another --node, or stop that one first$/);
		stop();
		expect((await a.json<{ nodes: { name: string }[] }>('nodes')).nodes.map(({ name }) => name)).toEqual(['a']);
		await fleet.verdict({ identifies: 2 });
	});

	it('(24, 25) is refused where Redis cannot be reached or cannot carry a cluster', async () => {
		const fleet = await clusterFleet({ shards: 2 });
		const servers = await Promise.all([
			redisServer({ args: ['--requirepass', 'right'] }),
			redisServer({ args: ['--maxmemory-policy', 'allkeys-lru'] }),
			redisServer({ args: ['--replicaof', '127.0.0.1', '1'] }),
		]);
		const [locked, evicting, replica] = servers;
		onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))));
		const cases: [string, RegExp][] = [
			['redis://127.0.0.1:1', /^Redis at redis:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*Check the address/],
			[locked.url.replace('//', '//:wrong@'), /cannot be reached: WRONGPASS.*Check the user and the password/],
			[locked.url, /NOAUTH.*Check the user and the password/],
			[evicting.url, /cannot carry a cluster: .*maxmemory-policy allkeys-lru\): set maxmemory-policy to noeviction/],
			[replica.url, /cannot carry a cluster: it is a replica .*use the address of the master/],
			[
				await redisThatSays(fleet.redis.port, '6.2.14'),
				/cannot carry a cluster: it is Redis 6\.2\.14, and 7\.0 is the oldest that works/,
			],
		];
		for (const [url, message] of cases) await expectRefused(fleet, 'a', { args: ['--cluster', url] }, message);
		fleet.expectIdentifies(0);
	});

	it('(22) joins with another version of the same protocol, and every node shows both', async () => {
		const fleet = await clusterFleet({ shards: 2, lease: '6s' });
		const a = await fleet.start('a');
		const stop = fleet.talk(100);
		const b = await fleet.launch('b', [], { command: otherRelease({ version: '99.0.0' }) });
		await b.run.message(/^fleet ready/);
		const { nodes } = await a.json<{ nodes: { name: string; version: string }[] }>('nodes');
		expect(nodes.map(({ name, version }) => [name, version])).toEqual([
			['a', own.version],
			['b', '99.0.0'],
		]);
		expect(await a.cli('drain', 'a')).toMatchObject({ code: 0 });
		await fleet.servedBy(b);
		expect(await a.cli('drain', 'a', '--undo')).toMatchObject({ code: 0 });
		expect(await a.cli('drain', 'b')).toMatchObject({ code: 0 });
		await fleet.servedBy(a);
		stop();
		await fleet.verdict({ identifies: 2 });
	});
});
