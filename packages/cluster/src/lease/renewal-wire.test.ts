import { expect, it } from 'vitest';
import { commonArguments, pairs, renewalArguments, renewalReply } from './renewal-wire.js';
import { timingsFor } from './timings.js';

it('has the durations behind the identity in every script', () => {
	expect(commonArguments('engine', timingsFor(), 'nonce')).toEqual(['nonce', 'engine', 6000, 7000, 2000]);
});

it('names each session with its epoch and what the node does with it', () => {
	const renewal = { number: 1, sentAt: 0, offset: 0, identity: 'engine', ripe: true, unlapsed: false };
	const sessions = (['acting', 'giving', 'waiting'] as const).map((hold, session) => ({ session, epoch: 100 + session, hold }));
	expect(renewalArguments('a', { ...renewal, sessions })).toEqual(['a', 1, 0, '', 0, 100, 0, 1, 101, 1, 2, 102, 2]);
});

it('is answered with a verdict for each session and the renewals of all nodes', () => {
	const answer = ['OK', 'engine', 250, 9, 1, ['0', '1796048172788', '1', 'wait', '2', 'none'], ['a', '7', 'b', '8']];
	expect(renewalReply(answer)).toEqual({
		kind: 'renewed',
		identity: 'engine',
		quietMs: 250,
		version: 9,
		registered: true,
		sessions: new Map<number, number | string>([
			[0, 1_796_048_172_788],
			[1, 'wait'],
			[2, 'none'],
		]),
		renewals: new Map([
			['a', 7],
			['b', 8],
		]),
	});
	expect(renewalReply(['OK', 'engine', 0, 9, 0, [], []])).toMatchObject({ registered: false });
});

it('is refused with the engine that runs now', () => {
	expect(renewalReply(['ENGINE', 'another'])).toEqual({ kind: 'engine', identity: 'another' });
});

it('reads a flat list as pairs', () => {
	expect(pairs(['a', '1', 'b', '2'])).toEqual([
		['a', '1'],
		['b', '2'],
	]);
	expect(pairs([])).toEqual([]);
});
