import { expect, it } from 'vitest';
import { completeStats } from './complete-stats.js';

it('finding 17: fills in what a manager of another version does not send, and keeps additional fields', () => {
	const stats = completeStats({
		manager: { name: 'bot', version: '9.0.0', planet: 'Mars' },
		shards: [{ shardId: 3, status: 'teleported' }, null],
		workers: 'many',
		gateways: [{ id: 1, shards: [{ shardId: 3 }] }],
	});
	expect(stats).toMatchObject({
		manager: { name: 'bot', version: '9.0.0', planet: 'Mars', status: 'unknown', identify: { remaining: 0 } },
		health: { status: 'unknown', causes: [] },
		shards: [
			{ shardId: 3, status: 'teleported', loopDelayMs: null, lastExit: null },
			{ shardId: 0, status: 'unknown' },
		],
		workers: [],
		gateways: [{ id: 1, sessions: [], shards: [{ shardId: 3, worker: 'unknown', received: 0 }] }],
	});
});

it.each([null, undefined, 5, 'x', [], {}])('returns complete figures for %j', (answer) => {
	expect(completeStats(answer)).toMatchObject({ manager: { name: 'unknown' }, shards: [], workers: [] });
});

it('leaves the figures of this version unchanged', () => {
	const stats = { ...completeStats({}), host: null, deploy: undefined };
	expect(completeStats(stats)).toEqual(stats);
});
