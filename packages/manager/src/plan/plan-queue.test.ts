import { expect, it } from 'vitest';
import { planShards } from './plan.js';
import { planQueue } from './plan-queue.js';

const gateway = { sessions: undefined, shardsPerGateway: 2 };
const plan = planShards({ totalShards: 3, shardList: undefined, shardsPerWorker: 1, cores: 2, gateway }, { shards: 1 });

it('gives the gateway processes every shard, and the workers none', () => {
	expect(planQueue(plan, { sessions: true, workers: 2 })).toMatchObject({
		shardIds: [0, 1, 2],
		gateways: [[0, 1], [2]],
		slices: [[], []],
	});
	expect(planQueue(plan, { sessions: true, workers: 0 }).slices).toEqual([]);
});

it('has no shards where others hold the sessions', () => {
	expect(planQueue(plan, { sessions: false, workers: 1 })).toEqual({
		layout: plan.layout,
		shardIds: [],
		sessionIds: [],
		gateways: [],
		slices: [[]],
	});
});
