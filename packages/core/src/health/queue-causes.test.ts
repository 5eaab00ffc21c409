import { expect, it } from 'vitest';
import type { HealthFacts } from '../contract/health.js';
import { fleetHealth } from './fleet-health.js';
import { queueCauses, queueUnwritten } from './queue-causes.js';

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

it.each([
	["Redis at redis://a refused queue.append: OOM command not allowed when used memory > 'maxmemory'.", /^raise maxmemory/],
	['Redis at redis://a refused queue.append: MISCONF Redis is configured to save RDB snapshots', /^free space/],
	["Redis at redis://a refused queue.append: READONLY You can't write against a read only replica.", /accepts writes/],
	['Redis at redis://a refused queue.append: NOREPLICAS Not enough good replicas to write.', /^start the replicas/],
	['Redis at redis://a refused queue.append: NOPERM this user has no permissions', /doctor/],
	['another process writes the events of shard 1 (epoch 7); this one writes no more', /^stop the other fleet/],
	['Redis at redis://a did not answer queue.append within 3000 ms', /doctor/],
])('reports shards whose events cannot be written as a risk, with what to do: %s', (error, remedy) => {
	const failing = (shardId: number, since: number) =>
		({ shardId, lost: 0, overflowed: 0, bufferedEvents: 70, queueFailure: { since, error } }) as const;
	const written = { shardId: 2, lost: 0, overflowed: 0, bufferedEvents: 1, queueFailure: null };
	const gateways = [
		{ id: 0, status: 'ready', shardIds: [1, 2], restarts: 0, sessions: [], shards: [failing(1, 50), written] },
		{ id: 1, status: 'ready', shardIds: [0], restarts: 0, sessions: [], shards: [failing(0, 40)] },
	];
	const [cause] = queueCauses(facts({ gateways }));
	expect(cause).toMatchObject({ kind: 'queue-unwritten', effect: 'risk', shardIds: [0, 1], since: 40 });
	const reason = error.replace(/\.$/, '');
	expect(cause?.message.endsWith(reason)).toBe(true);
	expect(cause?.remedy).toMatch(remedy);
	expect(queueUnwritten(gateways)).toEqual({ shardIds: [0, 1], since: 40, error: reason, waiting: 140 });
	// Where the manager cannot reach Redis either, that is the cause.
	const away = queueCauses(facts({ gateways, queue: { connected: false, groups: [] } }));
	expect(away).toMatchObject([{ kind: 'queue-unreachable', since: 40 }]);
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
