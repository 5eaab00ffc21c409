import type { Layout } from '@shardctl/core';
import { expect, it } from 'vitest';
import { estimateMs, planReshard } from './plan-reshard.js';

const shardIds = Array.from({ length: 32 }, (_, id) => id);
const layout: Layout = { generation: 0, totalShards: 32, sessions: 8 };
const input = { layout, shardIds, gateways: [shardIds] };

it.each([
	['grows', 16, { from: 8, to: 16, identifies: 16 }],
	['grows by more than two', 32, { from: 8, to: 32, identifies: 32 }],
	['shrinks', 4, { from: 8, to: 4, identifies: 4 }],
])('%s', (_, sessions, expected) => {
	const plan = planReshard({ ...input, sessions });
	expect(plan).toMatchObject(expected);
	expect(plan.groups).toEqual(Array.from({ length: Math.min(8, sessions) }, (_group, group) => group));
});

it('continues where a resharding ended, or returns', () => {
	const between = { ...layout, resharded: { sessions: 16, groups: [0, 1, 5] } };
	expect(planReshard({ ...input, layout: between, sessions: 16 })).toEqual({
		from: 8,
		to: 16,
		groups: [2, 3, 4, 6, 7],
		identifies: 10,
	});
	expect(planReshard({ ...input, layout: between, sessions: 8 })).toEqual({ from: 16, to: 8, groups: [0, 1, 5], identifies: 3 });
	expect(() => planReshard({ ...input, layout: between, sessions: 32 })).toThrow(/between 8 and 16 sessions: continue with/);
});

it.each([
	['the same count', { sessions: 8 }, 'RESHARD_COUNT', /^the fleet has 8 sessions already$/],
	['no whole multiple', { sessions: 12 }, 'RESHARD_COUNT', /not by 12; use 8 or 16, for example$/],
	['more sessions than shards', { sessions: 64 }, 'RESHARD_COUNT', /the workers see 32 shards, which 64 sessions cannot carry/],
	[
		'more sessions than the shards of a cluster',
		{ sessions: 64, keepsShards: true },
		'RESHARD_COUNT',
		/64 sessions cannot carry; stop all nodes and start them with --shards 64 --gateway-sessions 64$/,
	],
	['a part of the shards', { sessions: 16, shardIds: [0, 8, 16, 24] }, 'RESHARD_UNSUPPORTED', /has 4 of the 32 shards/],
	[
		'sessions in several processes',
		{ sessions: 4, gateways: [shardIds.filter((id) => id % 8 < 4), shardIds.filter((id) => id % 8 >= 4)] },
		'RESHARD_COUNT',
		/the sessions 0,4 are in 2 gateway processes/,
	],
])('refuses %s', (_, given, code, message) => {
	const plan = () => planReshard({ ...input, ...given });
	expect(plan).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

it('estimates by the slower of the two paces', () => {
	const plan = planReshard({ ...input, sessions: 16 });
	expect(estimateMs(plan, { maxConcurrency: 1, windowMs: 5000 })).toBe(80_000);
	expect(estimateMs(plan, { maxConcurrency: 16, windowMs: 5000 })).toBe(20_000);
});
