import type { OptionProblem } from '@shardctl/core';
import { expect, it } from 'vitest';
import { type QueueSetting, resolveQueueOptions } from './queue-options.js';

const url = 'redis://localhost:6379';
function resolve(given: Partial<QueueSetting>) {
	const problems: OptionProblem[] = [];
	const resolved = resolveQueueOptions(
		{ isOn: true, queue: url, workers: undefined, hasFile: true, clusterRedis: undefined, env: {}, ...given },
		problems,
	);
	return { resolved, problems: problems.map(({ option, problem }) => `${option} ${problem}`) };
}

it('has one worker with a bot file, none without, and as many as were asked for', () => {
	const keep = { bytes: 1024 ** 3, ageMs: 600_000 };
	expect(resolve({}).resolved).toEqual({ redis: { url }, keep, sessions: true, workers: 1 });
	expect(resolve({ hasFile: false }).resolved).toMatchObject({ sessions: true, workers: 0 });
	expect(resolve({ workers: 4, queue: { url, workersOnly: true, keepBytes: 5 } }).resolved).toEqual({
		redis: { url },
		keep: { ...keep, bytes: 5 },
		sessions: false,
		workers: 4,
	});
	expect(resolve({ queue: undefined, env: { SHARDCTL_QUEUE: url } }).resolved).toMatchObject({ redis: { url } });
});

it('is nothing in another mode, where what is only for a queue is refused', () => {
	expect(resolve({ isOn: false, queue: undefined })).toEqual({ resolved: null, problems: [] });
	expect(resolve({ isOn: false, workers: 2 }).problems).toEqual([
		expect.stringMatching(/^queue needs --gateway queue/),
		expect.stringMatching(/^workers needs --gateway queue/),
	]);
});

it('reports every problem, and never shows the address, which may have a password in it', () => {
	expect(resolve({ queue: undefined })).toEqual({ resolved: null, problems: [expect.stringMatching(/^queue\.url is missing/)] });
	const { problems } = resolve({
		hasFile: false,
		workers: 2,
		queue: { url: 'http://:secret@host', workersOnly: true, cert: '/nowhere/cert.pem' },
	});
	expect(problems).toEqual([
		expect.stringMatching(/^workers needs a bot file/),
		expect.stringMatching(/^queue\.workersOnly needs a bot file/),
		expect.stringMatching(/^queue must begin with redis:\/\//),
		expect.stringMatching(/^queue\.cert cannot be read/),
		expect.stringMatching(/^queue\.cert and queue\.key belong together/),
	]);
	expect(problems.join()).not.toContain('secret');
});

it('has the queue in the Redis of the cluster where it has no address of its own', () => {
	const clusterRedis = { url: 'rediss://cluster:6379', tls: { ca: 'pem' } };
	expect(resolve({ queue: undefined, clusterRedis }).resolved).toMatchObject({ redis: clusterRedis, sessions: true, workers: 1 });
	expect(resolve({ queue: { keepBytes: 5 }, clusterRedis }).resolved).toMatchObject({ redis: clusterRedis, keep: { bytes: 5 } });
	expect(resolve({ queue: undefined, clusterRedis, env: { SHARDCTL_QUEUE: url } }).resolved?.redis).toEqual({ url });
	expect(resolve({ clusterRedis }).resolved?.redis).toEqual({ url });
});

it('refuses a node that is to run workers only, and certificates without an address', () => {
	const clusterRedis = { url };
	expect(resolve({ queue: { workersOnly: true }, clusterRedis }).problems).toEqual([
		expect.stringMatching(/^queue\.workersOnly cannot be set with cluster, .*without --cluster/),
	]);
	expect(resolve({ queue: { ca: 'ca.pem' }, clusterRedis }).problems).toEqual([
		expect.stringMatching(/^queue\.url is missing: certificates/),
	]);
});
