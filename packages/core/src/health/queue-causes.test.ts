import { expect, it } from 'vitest';
import type { HealthFacts } from '../contract/health.js';
import { fleetHealth } from './fleet-health.js';

const identify = { total: 1000, remaining: 1000, resetAt: 0 };
const shard = (shardId: number, status: 'ready' | 'planned') =>
	({ shardId, workerId: null, status, restarts: 0, lastExit: null }) as const;
const facts = (given: Partial<HealthFacts>): HealthFacts => ({
	nowMs: 0,
	manager: { status: 'running', startedAt: 0, identify },
	shards: [shard(0, 'ready'), shard(1, 'ready')],
	queue: { connected: true, groups: [{ group: 'commands' }] },
	...given,
});

it('finds nothing wrong with a queue that is read', () => {
	expect(fleetHealth(facts({}))).toMatchObject({ status: 'healthy', served: 2, causes: [] });
});

it('says that no group has subscribed where the sessions wait for one', () => {
	const idle = [shard(0, 'planned'), shard(1, 'planned')];
	const health = fleetHealth(facts({ shards: idle, queue: { connected: true, groups: [] } }));
	expect(health).toMatchObject({
		status: 'down',
		served: 0,
		causes: [{ kind: 'queue-unread', shardIds: [0, 1], effect: 'progress' }],
	});
});

it('reports a Redis that does not answer as a risk', () => {
	const health = fleetHealth(facts({ queue: { connected: false, groups: [] } }));
	expect(health).toMatchObject({ status: 'degraded', served: 2, causes: [{ kind: 'queue-unreachable', effect: 'risk' }] });
});

it('counts a worker without shards among the causes', () => {
	const worker = {
		id: 3,
		shardIds: [],
		state: 'backing-off',
		since: 1,
		tries: 1,
		nextTryAt: 5,
		lastAnswerAt: null,
		heartbeat: { intervalMs: 0, timeoutMs: 0 },
		lastExit: { reason: 'signal', message: 'process 7 was killed by SIGKILL', at: 1 },
	};
	const { status, causes } = fleetHealth(facts({ workers: [worker] }));
	expect([status, causes.map(({ message }) => message)]).toEqual([
		'degraded',
		['worker 3 is restarting: process 7 was killed by SIGKILL'],
	]);
});
