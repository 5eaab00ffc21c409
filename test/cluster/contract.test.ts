// The names and shapes of a cluster that users type and parse, and that may not change: flags, options of createShardManager, commands, and the keys
// of what --json prints.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createShardManager, type ShardManagerOptions } from 'shardctl';
import { describe, expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { clusterFleet } from './cluster-fleet.js';

const bin = fileURLToPath(new URL('../../apps/shardctl/bin/shardctl.js', import.meta.url));
const bot = fileURLToPath(new URL('fixtures/calling-bot.mjs', import.meta.url));

function helpOf(command: string): string {
	const { stdout, status } = spawnSync(process.execPath, [bin, command, '--help'], {
		encoding: 'utf8',
		env: { ...process.env, COLUMNS: '200' },
	});
	expect(status).toBe(0);
	return stdout;
}

describe('the fixed names of a cluster', () => {
	it.each([
		[
			'start',
			[
				'--cluster',
				'--node',
				'--capacity',
				'--expect',
				'--lease',
				'--cluster-state',
				'--cluster-ca',
				'--cluster-cert',
				'--cluster-key',
			],
		],
		['nodes', ['--json', '--watch']],
		['drain', ['[node]', '--deadline', '--undo']],
		['move', ['<shard>', '<node>']],
		['rebalance', ['--dry-run']],
		['stop', ['--all', '--node']],
		['doctor', ['--cluster']],
		...['stats', 'health', 'logs', 'events', 'eval', 'fetch', 'where', 'respawn', 'restart', 'deploy'].map(
			(command) => [command, ['--local', '--node']] as const,
		),
	] as const)('shardctl %s has %j', (command, names) => {
		const help = helpOf(command);
		for (const name of names) expect(help).toContain(name);
	});

	const values = {
		node: 'a',
		capacity: 3,
		expect: 2,
		leaseMs: 6000,
		state: 'redis',
		secret: 'a secret of many characters',
		tls: { ca: 'x', cert: 'y', key: 'z' },
	} as const;
	it.each([
		'redis://127.0.0.1:1',
		{ url: 'rediss://127.0.0.1:1', ...values },
		{ url: 'redis://[2001:db8::1]:6379', capacity: 'auto', state: 'none' },
	] as const)('createShardManager takes the option cluster as %j', (cluster) => {
		expect(() => createShardManager(bot, { token: 'a.b.c', control: false, cluster } as ShardManagerOptions)).not.toThrow();
	});
	it('createShardManager refuses a key of cluster that there is not', () => {
		const cluster = { url: 'redis://x', leese: 1 };
		expect(() => createShardManager(bot, { token: 'a.b.c', cluster } as ShardManagerOptions)).toThrow(/leese/);
	});
});

const anyString = expect.any(String);
const anyNumber = expect.any(Number);

describeWithRedis('what a node of a cluster prints as JSON', () => {
	it('has the fixed keys, with settings from the environment', async () => {
		const fleet = await clusterFleet({ shards: 2, bot, lease: '6s' });
		const node = await fleet.launch('ignored', [], {
			env: { SHARDCTL_CAPACITY: '5', SHARDCTL_EXPECT: '1', SHARDCTL_CLUSTER_STATE: 'redis' },
		});
		await node.run.message(/^fleet ready/);
		const { cluster, nodes } = await node.json<{ cluster: object; nodes: object[] }>('nodes');
		expect(cluster).toEqual({ app: anyString, engine: expect.stringMatching(/^(redis|valkey)$/), version: anyString });
		expect(nodes).toEqual([
			{
				name: 'ignored',
				status: 'ready',
				pid: node.run.pid,
				version: anyString,
				sessions: 2,
				shards: 2,
				workers: 2,
				capacity: 5,
				leaseMs: anyNumber,
				startedAt: anyNumber,
			},
		]);
		const stats = await node.json<{ shards: object[]; gateways: object[] }>('stats');
		expect(stats.shards).toHaveLength(2);
		expect(stats.gateways).toHaveLength(2);
		for (const each of [...stats.shards, ...stats.gateways]) expect(each).toMatchObject({ node: 'ignored' });
		const inBot = await node.json<{ value: object }[]>('eval', 'fleet.getShardInfo()');
		expect(inBot.map(({ value }) => value)).toMatchObject([0, 1].map((shardId) => ({ shardId, node: 'ignored', sharded: true })));
	});
});
