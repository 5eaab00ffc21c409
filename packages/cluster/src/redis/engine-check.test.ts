import { expect, it } from 'vitest';
import { type EngineFacts, engineProblems } from './engine-check.js';

const good: EngineFacts = {
	engine: 'redis',
	version: '7.0.15',
	role: 'master',
	maxmemoryPolicy: 'noeviction',
	isCluster: false,
	isSentinel: false,
};

it('finds nothing wrong with Redis 7 or later and Valkey', () => {
	for (const facts of [good, { ...good, version: '8.2.1' }, { ...good, engine: 'valkey', version: '7.2.5' } as const]) {
		expect(engineProblems(facts)).toEqual([]);
	}
});

it.each([
	[{ version: '6.2.14' }, /Redis 6.2.14.*update it/],
	[{ role: 'slave' }, /replica.*use the address of the master/],
	[{ maxmemoryPolicy: 'allkeys-lru' }, /allkeys-lru.*noeviction/],
	[{ isCluster: true }, /Redis Cluster.*single Redis/],
	[{ isSentinel: true }, /^it is a Sentinel.*leads to the master/],
])('says what is wrong and what to do: %j', (changes, message) => {
	const problems = engineProblems({ ...good, ...changes });
	expect(problems).toHaveLength(1);
	expect(problems[0]).toMatch(message);
});
