import { type IoredisPort, MessageSeal, type RedisScript } from '@shardctl/cluster';
import { systemClock } from '@shardctl/core';
import { afterEach, expect, it, vi } from 'vitest';
import { queueKeys } from '../wire/keys.js';
import type { ConnectQueueOptions } from './connect-options.js';
import { Queue } from './connect-queue.js';

const keys = queueKeys('1');

afterEach(() => vi.restoreAllMocks());

/** A worker of a queue with one partition, whose Redis gives each script the next answer, and the last one again. */
function queueUnderTest(answers: Record<string, unknown[]>, options: Partial<ConnectQueueOptions> = {}) {
	const calls: string[] = [];
	const idle: Record<string, unknown> = {
		'queue.subscribe': ['OK', '1', '1', '5'],
		'queue.turn': ['5', '1', '0', '0', ['0', '7']],
		'queue.claimPending': ['OK', 0, [], []],
		'queue.read': [['OK', 0, []]],
		'queue.acknowledge': [],
	};
	const redis = {
		script: async ({ name }: RedisScript) => {
			calls.push(name);
			const next = answers[name]?.shift() ?? idle[name];
			if (next instanceof Error) throw next;
			return next;
		},
		batch: async () => [[Buffer.from('1'), Buffer.from('0')]],
		subscribe: async () => async () => {},
		publish: async () => 0,
		close: async () => {},
	} as unknown as IoredisPort;
	const seal = new MessageSeal({ secret: 'token', applicationId: '1' });
	const queue = new Queue({ group: 'g', events: ['X'], redis, keys, clock: systemClock, seal, token: 'token', ...options });
	return { queue, calls };
}

const entry = ['1-0', ['e', '1 X 1 a 1', 'd', '{}']];

it.each<[string, () => unknown]>([
	[
		'throws',
		() => {
			throw new Error('in the callback');
		},
	],
	['rejects', () => Promise.reject(new Error('in the callback'))],
])('handles events also where a callback %s', async (_, fail) => {
	const lines: string[] = [];
	vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
	const { queue, calls } = queueUnderTest(
		{
			'queue.claimPending': [new Error('Redis is away'), ['OK', 2, [], []]],
			'queue.read': [[['OK', 3, [entry]]]],
		},
		{ onMissed: fail, onWarning: fail },
	);
	const handled: string[] = [];
	const running = queue.handle(({ key }) => handled.push(key)).run();
	await vi.waitFor(() => expect(calls).toContain('queue.acknowledge'));
	await queue.close();
	await running;
	expect(handled).toEqual(['a:1']);
	const line = (name: string) => `shardctl queue: ${name}() has failed: in the callback\n`;
	expect(lines).toEqual([line('onWarning'), line('onMissed'), line('onMissed')]);
});

it('knows how the events are divided before it runs', async () => {
	const { queue } = queueUnderTest({});
	await queue.subscribe();
	expect(await queue.gateway.getShardCount()).toBe(1);
	await expect(queue.send('1', { op: 8, d: {} })).rejects.toMatchObject({ code: 'GATEWAY_UNAVAILABLE' });
	await queue.close();
});

it('refuses what it cannot ask before a fleet has written to the queue', async () => {
	const { queue } = queueUnderTest({ 'queue.subscribe': [['NOTHING'], ['NOTHING'], ['NOTHING'], ['NOTHING']] });
	await queue.subscribe();
	const refused = { code: 'GATEWAY_UNAVAILABLE', message: expect.stringContaining('no fleet has written') };
	await expect(queue.send('1', { op: 8, d: {} })).rejects.toMatchObject(refused);
	await expect(queue.guild('1')).rejects.toMatchObject(refused);
	await expect(queue.gateway.getShardCount()).rejects.toMatchObject(refused);
	expect(await queue.gateway.getShardCount()).toBe(1);
	await queue.close();
});
