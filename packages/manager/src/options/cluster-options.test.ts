import { availableParallelism } from 'node:os';
import type { OptionProblem } from '@shardctl/core';
import { expect, it, test } from 'vitest';
import { resolveClusterOptions } from './cluster-options.js';

function resolve(given: Parameters<typeof resolveClusterOptions>[0]) {
	const problems: OptionProblem[] = [];
	return { resolved: resolveClusterOptions(given, problems), problems };
}

it('has a default for everything but the address', () => {
	const { resolved, problems } = resolve('redis://10.0.0.5:6379');
	expect(problems).toEqual([]);
	expect(resolved).toMatchObject({
		redis: { url: 'redis://10.0.0.5:6379' },
		expect: 1,
		leaseMs: 6000,
	});
	expect(resolved?.node).toMatch(/^[\w.-]+$/);
	expect(resolve(undefined).resolved).toBe(null);
});

test.each([
	['http://10.0.0.5', /must begin with redis:\/\/ or rediss:\/\//],
	['10.0.0.5:6379', /must be the URL of a Redis|must begin with/],
	['redis://:a-password@', /must be the URL|no host/],
])('refuses %s without showing a password', (url, message) => {
	const { problems } = resolve(url);
	expect(problems).toHaveLength(1);
	expect(problems[0]?.problem).toMatch(message);
	expect(problems[0]?.problem).not.toContain('a-password');
});

it('takes no limit by cores for a capacity, and certificates as text', () => {
	expect(resolve({ url: 'redis://x', capacity: 'auto' }).resolved?.capacity).toBe(1_000_000 * availableParallelism());
	const tls = { ca: 'an authority', cert: Buffer.from('a certificate'), key: 'a key' };
	expect(resolve({ url: 'rediss://x', tls })).toMatchObject({
		problems: [],
		resolved: { redis: { tls: { ca: 'an authority', cert: 'a certificate', key: 'a key' } } },
	});
	expect(resolve({ url: 'rediss://x', tls: { ca: 'a' }, ca: import.meta.filename }).problems).toMatchObject([
		{ option: 'cluster.ca', problem: 'says the same as cluster.tls.ca: keep one of them' },
	]);
});

it('reports an option that needs the address, a certificate without its key, and a file that is not there', () => {
	expect(resolve({ node: 'a' }).problems).toMatchObject([
		{ option: 'cluster.url', problem: expect.stringContaining('is missing') },
	]);
	const { problems } = resolve({ url: 'redis://x', cert: import.meta.filename, ca: '/no/such/file' });
	expect(problems.map(({ option }) => option)).toEqual(['cluster.ca', 'cluster.cert', 'cluster']);
});
