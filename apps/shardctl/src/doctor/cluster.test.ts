import type { EngineReport } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { checkCluster, clusterFindings } from './cluster.js';

const good: EngineReport = {
	engine: 'redis',
	version: '7.0.15',
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
	clusterFindings({ ...good, ...changes }, { url, application: '123' });

it('finds nothing to do for a good Redis, and shows no password', () => {
	const all = findings();
	expect(all.map(({ status }) => status)).toEqual(all.map(() => 'ok'));
	expect(JSON.stringify(all)).not.toContain('secret');
	expect(all[0]?.message).toMatch(/Redis 7.0.15 at redis:\/\/redis.example:6379/);
});

it.each<[Partial<EngineReport>, string, string, RegExp]>([
	[{ version: '6.2.1' }, 'redis engine', 'fail', /update it/],
	[{ role: 'slave' }, 'redis engine', 'fail', /address of the master/],
	[{ maxmemoryPolicy: 'allkeys-lru' }, 'redis engine', 'fail', /maxmemory-policy to noeviction/],
	[{ refusal: 'NOPERM' }, 'redis rights', 'fail', /ACL SETUSER.*~shardctl:123:\* '&shardctl:123:\*' \+@all -@dangerous \+info/],
	[{ refusal: 'NOREPLICAS Not enough good replicas' }, 'redis writes', 'fail', /start the replicas/],
	[{ cannotSave: true }, 'redis files', 'fail', /space on its disk/],
	[{ appendOnly: false }, 'redis files', 'warn', /appendonly yes/],
	[{ maxBytes: 11 * 2 ** 20 }, 'redis memory', 'warn', /raise maxmemory/],
	[{ replicas: 1 }, 'redis replicas', 'warn', /min-replicas-to-write 1.*min-replicas-max-lag 1/],
	[{ replicas: 1, boundsReplicas: true }, 'redis replicas', 'warn', /at most 1/],
	[{ replicas: 1, boundsReplicas: true, maxLagMs: 10_000 }, 'redis replicas', 'warn', /min-replicas-max-lag 1/],
	[{ clockAheadMs: -5000 }, 'redis clock', 'warn', /NTP/],
	[{ roundTripMs: 120 }, 'redis distance', 'warn', /--lease 18s/],
])('says what to do: %j', (changes, check, status, remedy) => {
	const found = findings(changes).filter((finding) => finding.status !== 'ok');
	expect(found).toHaveLength(1);
	expect(found[0]).toMatchObject({ check, status });
	expect(found[0]?.remedy).toMatch(remedy);
});

it('accepts replicas whose lag is bounded', () => {
	expect(findings({ replicas: 2, boundsReplicas: true, maxLagMs: 1000 }).every(({ status }) => status === 'ok')).toBe(true);
});

it('warns of a Redis without a password, unless it is on this machine', () => {
	expect(findings({}, 'redis://redis.example').find(({ check }) => check === 'redis password')).toMatchObject({ status: 'warn' });
	expect(findings({}, 'redis://127.0.0.1').some(({ check }) => check === 'redis password')).toBe(false);
});

it.each([
	['http://redis.example', /does not begin with redis:\/\//],
	['nonsense', /Invalid URL/],
	['redis://127.0.0.1:1', /ECONNREFUSED/],
])('reports an address that it cannot use, with one finding: %s', async (url, message) => {
	const found = await checkCluster({ url, token: '' });
	expect(found).toHaveLength(1);
	expect(found[0]).toMatchObject({ check: 'redis', status: 'fail', message: expect.stringMatching(message) });
	expect(found[0]?.remedy?.length).toBeGreaterThan(10);
});
