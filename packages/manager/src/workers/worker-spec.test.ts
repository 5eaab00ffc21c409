import { type WorkerConfig, workerConfigVariable } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { workerEnvironment } from './worker-spec.js';

const config: WorkerConfig = {
	workerId: 1,
	epoch: 3,
	shardIds: [4, 5],
	totalShards: 8,
	workers: 4,
	botFile: '/bot.js',
	api: 'https://discord.com/api',
	gateway: {
		url: 'wss://x',
		shards: 8,
		session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
	},
	statsIntervalMs: 5000,
	shutdownGraceMs: 10_000,
	launchMark: '[mark]',
};

describe('workerEnvironment', () => {
	it("contains discord.js's own variables, as strings that discord.js reads, and the config without the token", () => {
		const env = workerEnvironment({ PATH: '/bin' }, { config, token: 'secret', env: { EXTRA: '1' } });
		expect(env).toMatchObject({
			PATH: '/bin',
			EXTRA: '1',
			SHARDING_MANAGER: 'true',
			SHARDING_MANAGER_MODE: 'process',
			SHARDS: '[4,5]',
			SHARD_COUNT: '8',
			DISCORD_TOKEN: 'secret',
		});
		expect(JSON.parse(env[workerConfigVariable] as string)).toEqual(config);
		expect(env[workerConfigVariable]).not.toContain('secret');
	});

	it('keeps the address of the Redis of a cluster, and not the secret that only managers need', () => {
		const inherited = { SHARDCTL_CLUSTER: 'redis://x', SHARDCTL_CLUSTER_SECRET: 'a secret' };
		const env = workerEnvironment(inherited, { config, token: 't', env: {} });
		expect(env.SHARDCTL_CLUSTER).toBe('redis://x');
		expect(env).not.toHaveProperty('SHARDCTL_CLUSTER_SECRET');
	});

	it('overrides the given environment, and omits undefined values', () => {
		const env = workerEnvironment({ SHARDS: '[99]', GONE: undefined }, { config, token: 't', env: { SHARD_COUNT: '1' } });
		expect(env).toMatchObject({ SHARDS: '[4,5]', SHARD_COUNT: '8' });
		expect('GONE' in env).toBe(false);
	});
});
