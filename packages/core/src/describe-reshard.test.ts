import { expect, it } from 'vitest';
import { describeReshard, describeReshardRest } from './describe-reshard.js';

it('names what changes', () => {
	expect(describeReshard({ from: 4, to: 8 })).toBe('from 4 to 8 sessions');
	expect(describeReshard({ from: 4, to: 4, shards: { from: 8, to: 16 } })).toBe('from 8 to 16 shards');
	expect(describeReshard({ from: 2, to: 1, shards: { from: 4, to: 1 } })).toBe('from 2 to 1 session and from 4 to 1 shard');
});

it('says how long it still takes, or what holds it up', () => {
	expect(describeReshardRest({ leftMs: 2000 })).toBe('about 2s left');
	expect(describeReshardRest({ leftMs: 2000, waitsFor: [] })).toBe('about 2s left');
	expect(describeReshardRest({ leftMs: 2000, waitsFor: ['worker 1 keeps failing'] })).toBe('waits: worker 1 keeps failing');
	expect(describeReshardRest({ leftMs: 0, waitsFor: ['a', 'b', 'c', 'd', 'e'] })).toBe('waits: a; b; c; 2 more');
});
