import { expect, it } from 'vitest';
import { planSession } from './plan-session.js';

const layout = { generation: 0, totalShards: 8, sessions: 2 };

it('cuts slices within a session', () => {
	expect(planSession(layout, 1, { shardsPerWorker: 3, cores: 4 })).toEqual({
		shardIds: [1, 3, 5, 7],
		slices: [
			[1, 3],
			[5, 7],
		],
	});
});

it('has no slices where events go through a queue, whose workers have no shards', () => {
	expect(planSession(layout, 1, { shardsPerWorker: 3, cores: 4, queue: {} })).toEqual({ shardIds: [1, 3, 5, 7], slices: [] });
});

it('spreads the shards of a session over the cores', () => {
	expect(planSession(layout, 0, { shardsPerWorker: 'auto', cores: 2 }).slices).toEqual([
		[0, 2],
		[4, 6],
	]);
	expect(planSession({ ...layout, sessions: 8 }, 5, { shardsPerWorker: 'auto', cores: 2 })).toEqual({
		shardIds: [5],
		slices: [[5]],
	});
});
