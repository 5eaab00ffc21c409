import type { ReshardStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { reshardLine } from './reshard-line.js';

const minute = 60_000;
const reshard: ReshardStats = {
	state: 'running',
	from: 4,
	to: 8,
	done: 3,
	total: 4,
	identifies: 6,
	longestPauseMs: 40,
	startedAt: 0,
	tookMs: 7000,
	leftMs: 2000,
	error: null,
};

it('says how far a resharding is', () => {
	expect(reshardLine(reshard, 7000)).toEqual({
		level: 'running',
		text: 'resharding from 4 to 8 sessions: 3 of 4 groups replaced, about 2s left',
	});
	expect(reshardLine(undefined, 0)).toBeNull();
	const waiting = { ...reshard, waitsFor: ['node b: worker 1 (shard 1) keeps failing'] };
	expect(reshardLine(waiting, 7000)?.text).toMatch(
		/: 3 of 4 groups replaced, waits: node b: worker 1 \(shard 1\) keeps failing$/,
	);
});

it('says how it ended, for ten minutes, and why it failed, for an hour', () => {
	const done = { ...reshard, state: 'done', done: 4, leftMs: 0 } as const;
	expect(reshardLine(done, 67_000)?.text).toBe('resharding from 4 to 8 sessions took 7s, 1m ago; longest pause of a shard 40 ms');
	expect(reshardLine(done, 11 * minute)).toBeNull();
	const failed = { ...reshard, state: 'failed', error: 'session 5 of 8 was refused' } as const;
	expect(reshardLine(failed, 30 * minute)).toMatchObject({
		level: 'bad',
		text: expect.stringMatching(/ago: session 5 of 8 was refused$/),
	});
	expect(reshardLine(failed, 62 * minute)).toBeNull();
});
