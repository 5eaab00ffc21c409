import { MessageSeal, type RedisPort } from '@shardctl/cluster';
import { systemClock } from '@shardctl/core';
import { expect, it } from 'vitest';
import { openAnswer } from '../wire/gateway-request.js';
import { queueKeys } from '../wire/keys.js';
import { RequestResponder } from './request-responder.js';

const seal = new MessageSeal({ secret: 'token', applicationId: '1' });

async function responderUnderTest() {
	let nowMs = 1_700_000_000_000;
	const clock = { ...systemClock, now: () => nowMs, monotonic: () => nowMs };
	let listener: (message: Buffer) => void = () => {};
	const answers: unknown[] = [];
	const redis = {
		subscribe: async (_: string, take: typeof listener) => {
			listener = take;
			return async () => {};
		},
		publish: async (channel: string, message: Buffer) => {
			answers.push([channel, openAnswer(seal, message)]);
			return 1;
		},
	} as unknown as RedisPort;
	const asked: unknown[] = [];
	const responder = new RequestResponder({
		redis,
		keys: queueKeys('1'),
		shard: 0,
		seal,
		clock,
		isOwner: () => true,
		answer: (request) => asked.push(request),
	});
	await responder.start();
	const request = (id: number, reply: string, atMs = 0) =>
		seal.seal(JSON.stringify({ id, reply, at: clock.now() + atMs, request: { kind: 'guild', guildId: '7' } }));
	const pass = (ms: number) => {
		nowMs += ms;
	};
	return { pass, request, take: (message: Buffer) => listener(message), answers, asked };
}

it('accepts a request once, however often a copy of it is sent', async () => {
	const { pass, request, take, answers, asked } = await responderUnderTest();
	const copied = request(1, 'x', 29_000);
	take(copied);
	take(copied);
	take(request(2, 'x'));
	take(request(1, 'y'));
	pass(58_000);
	take(copied);
	expect(asked).toHaveLength(3);
	expect(answers).toEqual([
		['x', { id: 1, result: 1 }],
		['x', { id: 2, result: 2 }],
		['y', { id: 1, result: 3 }],
	]);
	pass(3000);
	take(copied);
	expect(asked).toHaveLength(3);
});

it.each([
	[-45_000, '45 s behind'],
	[31_000, '31 s ahead of'],
])('refuses a request of %i ms, and names the clocks', async (atMs, apart) => {
	const { request, take, answers, asked } = await responderUnderTest();
	take(request(1, 'x', atMs));
	expect(asked).toEqual([]);
	const message = `the clock of the worker is ${apart} the clock of the gateway process, which accepts 30 s: synchronize the clocks of both machines`;
	expect(answers).toEqual([['x', { id: 1, error: { code: 'CALL_TIMEOUT', message } }]]);
});
