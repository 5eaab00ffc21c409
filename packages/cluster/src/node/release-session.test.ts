import { expect, it } from 'vitest';
import { timingsFor } from '../lease/timings.js';
import { clusterKeys } from '../redis/keys.js';
import type { RedisPort } from '../redis/redis-port.js';
import { releaseSession } from './release-session.js';

it('marks the node as draining, releases the session by its epoch and tells all nodes, in one script that Redis need not know', async () => {
	const calls: unknown[][] = [];
	const redis: Pick<RedisPort, 'script'> = {
		script: async ({ name }, keys, args, options) => calls.push([name, keys.length, args.slice(5), options]),
	};
	const keys = clusterKeys('123');
	await releaseSession({
		redis: redis as RedisPort,
		keys,
		timings: timingsFor(),
		identity: () => 'engine',
		node: 'a',
		member: '{"name":"alpha","draining":false}',
		session: 3,
		epoch: 100,
		timeoutMs: 2000,
	});
	expect(calls).toEqual([
		['abandon', 5, ['a', 3, 100, '', '{"name":"alpha","draining":true}', keys.tableChanged], { timeoutMs: 2000, isRare: true }],
	]);
});
