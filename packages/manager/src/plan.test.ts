import { describe, expect, it } from 'vitest';
import { type PlanInput, planShards } from './plan.js';

function plan(input: Partial<PlanInput>, recommended = 8) {
	return planShards(
		{ totalShards: 'auto', shardList: undefined, shardsPerWorker: 1, cores: 2, ...input },
		{ shards: recommended },
	);
}

describe('planShards', () => {
	it('takes what Discord recommends, one shard a worker', () => {
		expect(plan({}, 3)).toEqual({ totalShards: 3, shardIds: [0, 1, 2], slices: [[0], [1], [2]] });
	});

	it('cuts a shard list into balanced contiguous slices', () => {
		expect(plan({ totalShards: 16, shardList: [4, 5, 6, 7, 8], shardsPerWorker: 3 }).slices).toEqual([
			[4, 5, 6],
			[7, 8],
		]);
	});

	it('spreads the shards over the cores with "auto"', () => {
		expect(plan({ shardsPerWorker: 'auto', cores: 3 }).slices.map((slice) => slice.length)).toEqual([3, 3, 2]);
		expect(plan({ shardsPerWorker: 'auto', cores: 64 }, 2).slices).toEqual([[0], [1]]);
	});

	it('refuses a list beyond the recommended count, and says how to mend it', () => {
		expect(() => plan({ shardList: [0, 9] })).toThrow(/shardList names 9, but Discord recommends 8 shards .* set totalShards/);
	});
});
