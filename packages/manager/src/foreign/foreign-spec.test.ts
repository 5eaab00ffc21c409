import { expect, it } from 'vitest';
import { foreignEnvironment } from './foreign-spec.js';
import { pythonFolder } from './python-folder.js';

const gateway = {
	url: 'ws://127.0.0.1:5/worker/3/key',
	shards: 4,
	session_start_limit: { total: 1, remaining: 1, reset_after: 0, max_concurrency: 1 },
};
const given = { env: {}, token: 'secret', shardIds: [1], totalShards: 4, gateway, graceMs: 5000 };

it('has what a program needs to find its shards and its gateway, and nothing of shardctl itself', () => {
	const inherited = {
		PATH: '/bin',
		SHARDCTL_CLUSTER: 'redis://:password@host',
		SHARDCTL_CLUSTER_SECRET: 'x',
		SHARDCTL_DETACHED: '1',
		HOME: '/h',
	};
	expect(foreignEnvironment(inherited, given)).toEqual({
		PATH: '/bin',
		HOME: '/h',
		SHARDCTL_GATEWAY_URL: 'ws://127.0.0.1:5/worker/3/key',
		SHARDCTL_API: 'http://127.0.0.1:5/worker/3/key/api',
		SHARDCTL_FD: '3',
		SHARDCTL_GRACE_MS: '5000',
		SHARDS: '1',
		SHARD_ID: '1',
		SHARD_COUNT: '4',
		DISCORD_TOKEN: 'secret',
		PYTHONPATH: pythonFolder,
		PYTHONUNBUFFERED: '1',
	});
});

it('has a list of several shards, and keeps the PYTHONPATH of the user behind ours', () => {
	const several = { ...given, shardIds: [0, 1], env: { OWN: '1', PYTHONUNBUFFERED: '' } };
	expect(foreignEnvironment({ PYTHONPATH: '/lib/a:/lib/b', SHARD_ID: '9' }, several)).toMatchObject({
		OWN: '1',
		SHARDS: '[0,1]',
		PYTHONPATH: `${pythonFolder}:/lib/a:/lib/b`,
		PYTHONUNBUFFERED: '',
	});
	expect(foreignEnvironment({ SHARD_ID: '9' }, several)).not.toHaveProperty('SHARD_ID');
});
