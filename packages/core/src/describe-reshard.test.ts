import { expect, it } from 'vitest';
import { describeReshard } from './describe-reshard.js';

it('names what changes', () => {
	expect(describeReshard({ from: 4, to: 8 })).toBe('from 4 to 8 sessions');
	expect(describeReshard({ from: 4, to: 4, shards: { from: 8, to: 16 } })).toBe('from 8 to 16 shards');
	expect(describeReshard({ from: 2, to: 1, shards: { from: 4, to: 1 } })).toBe('from 2 to 1 session and from 4 to 1 shard');
});
