import type { EngineReport } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { checkQueue, keepFindings, queueFindings } from './queue.js';

const good: EngineReport = {
	engine: 'valkey',
	version: '8.0.1',
	role: 'master',
	maxmemoryPolicy: 'noeviction',
	isCluster: false,
	isSentinel: false,
	roundTripMs: 0.4,
	clockAheadMs: 3,
	usedBytes: 10 * 2 ** 20,
	maxBytes: 0,
	appendOnly: true,
	cannotSave: false,
	replicas: 0,
	boundsReplicas: false,
	maxLagMs: undefined,
	refusal: undefined,
};
const findings = (changes: Partial<EngineReport> = {}, url = 'redis://user:secret@redis.example:6379') =>
	queueFindings({ ...good, ...changes }, { url, application: '123' });

it('finds nothing to do for a good Redis, and shows no password', () => {
	const all = findings();
	expect(all.map(({ status }) => status)).toEqual(all.map(() => 'ok'));
	expect(JSON.stringify(all)).not.toContain('secret');
	expect(all.map(({ message }) => message)).toContain('the user may do what an event queue needs');
});

it.each<[Partial<EngineReport>, string, string, RegExp]>([
	[{ maxmemoryPolicy: 'allkeys-lru' }, 'redis engine', 'fail', /may delete keys/],
	[{ refusal: 'NOPERM' }, 'redis rights', 'fail', /NOPERM/],
	[{ appendOnly: false }, 'redis files', 'warn', /loses the events that no worker has handled yet/],
	[{ maxBytes: 11 * 2 ** 20 }, 'redis memory', 'warn', /10 MB of 11 MB used/],
	[{ maxBytes: 9 * 2 ** 20 }, 'redis memory', 'fail', /Redis is full: 10 MB of 9 MB used/],
])('says what is wrong: %j', (changes, check, status, message) => {
	const found = findings(changes).filter((finding) => finding.status !== 'ok');
	expect(found).toMatchObject([{ check, status, message: expect.stringMatching(message) }]);
});

it.each([
	[{ url: 'http://redis.example' }, {}, /^queue: it does not begin with redis:\/\//],
	[{ keepBytes: 5 }, { SHARDCTL_QUEUE: 'nonsense' }, /Invalid URL/],
	[undefined, {}, /is not named/],
])('reports an address that it cannot use, with one finding: %j', async (queue, env, message) => {
	expect(await checkQueue({ queue, token: '', env })).toMatchObject([
		{ check: 'redis', status: 'fail', message: expect.stringMatching(message), remedy: expect.any(String) },
	]);
});

it('warns where the queue may keep more than Redis has memory for', () => {
	const maxBytes = 512 * 2 ** 20;
	expect(keepFindings({ maxBytes }, maxBytes - 1)).toEqual([]);
	expect(keepFindings({ maxBytes: 0 })).toEqual([]);
	expect(keepFindings({ maxBytes })).toMatchObject([
		{ status: 'warn', message: 'Redis may use 512 MB, and the queue keeps up to 1,024 MB for workers that are away' },
	]);
});
