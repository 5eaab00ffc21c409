import { describe, expect, it } from 'vitest';
import { type PlanInput, planShards } from './plan.js';

function plan(input: Partial<PlanInput>, recommended = 8) {
	return planShards(
		{ totalShards: 'auto', shardList: undefined, shardsPerWorker: 1, cores: 2, gateway: null, ...input },
		{ shards: recommended },
	);
}

describe('planShards', () => {
	it("uses Discord's recommendation, with one shard per worker", () => {
		expect(plan({}, 3)).toEqual({
			layout: { generation: 0, totalShards: 3, sessions: 3 },
			shardIds: [0, 1, 2],
			sessionIds: [0, 1, 2],
			slices: [[0], [1], [2]],
			gateways: [],
		});
	});

	it('divides a shard list into balanced contiguous slices', () => {
		expect(plan({ totalShards: 16, shardList: [4, 5, 6, 7, 8], shardsPerWorker: 3 }).slices).toEqual([
			[4, 5, 6],
			[7, 8],
		]);
	});

	it('spreads the shards over the cores with "auto"', () => {
		expect(plan({ shardsPerWorker: 'auto', cores: 3 }).slices.map((slice) => slice.length)).toEqual([3, 3, 2]);
		expect(plan({ shardsPerWorker: 'auto', cores: 64 }, 2).slices).toEqual([[0], [1]]);
	});

	it('puts several shards into one session, which one process holds', () => {
		const gateway = { sessions: 2, shardsPerGateway: 16 };
		expect(plan({ totalShards: 6, shardsPerWorker: 2, gateway })).toMatchObject({
			layout: { generation: 0, totalShards: 6, sessions: 2 },
			sessionIds: [0, 1],
			slices: [
				[0, 1],
				[2, 3],
				[4, 5],
			],
			gateways: [[0, 1, 2, 3, 4, 5]],
		});
		expect(plan({ totalShards: 6, shardList: [1, 3, 5], gateway })).toMatchObject({ sessionIds: [1], gateways: [[1, 3, 5]] });
		expect(() => plan({ totalShards: 6, shardList: [0, 1], gateway })).toThrow(
			/shardList: shard 2 is missing: it shares a Discord session with shard 0/,
		);
	});

	it('rejects a list beyond the recommended count, and names the remedy', () => {
		expect(() => plan({ shardList: [0, 9] })).toThrow(
			/shardList has shard 9, but Discord recommends 8 shards .* set totalShards/,
		);
	});
});
