import type { Layout } from '@shardctl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planShards } from '../plan/plan.js';
import { planShardCount } from '../plan/plan-shards.js';
import { planSteps } from './plan-steps.js';

const input = (counts: { shards: number; sessions: number; perWorker?: number; perGateway?: number }) =>
	planShards(
		{
			totalShards: counts.shards,
			shardList: undefined,
			shardsPerWorker: counts.perWorker ?? 2,
			cores: 2,
			gateway: { sessions: counts.sessions, shardsPerGateway: counts.perGateway ?? 4 },
		},
		{ shards: counts.sessions },
	);
const more = { shardsPerWorker: 2, cores: 2 };
const kinds = (steps: ReturnType<typeof planSteps>) =>
	steps.map((step) => (step.kind === 'shards' ? `${step.plan.layout.totalShards} shards` : `${step.plan.to} sessions`));

describe('another shard count', () => {
	it('keeps the guilds of each shard in their session and in their gateway process, and each worker in one', () => {
		const small = fc.integer({ min: 1, max: 4 });
		fc.assert(
			fc.property(small, small, small, small, small, (sessions, factor, growth, perWorker, perGateway) => {
				const [fewer, many] = [sessions * factor, sessions * factor * growth];
				for (const [from, to] of [
					[fewer, many],
					[many, fewer],
				] as const) {
					if (from === to) continue;
					const before = input({ shards: from, sessions, perWorker, perGateway });
					const after = planShardCount({ ...before, shards: to, shardsPerWorker: perWorker, cores: 2 });
					const all = Array.from({ length: to }, (_, id) => id);
					expect(after.layout).toEqual({ generation: 1, totalShards: to, sessions });
					for (const lists of [after.gateways, after.slices]) expect(lists.flat().sort((a, b) => a - b)).toEqual(all);
					const processOf = (lists: readonly (readonly number[])[], id: number) => lists.findIndex((held) => held.includes(id));
					for (const slice of after.slices) expect(new Set(slice.map((id) => processOf(after.gateways, id))).size).toBe(1);
					// Any guild: its shard before and its shard after.
					for (let guild = 0; guild < many; guild++)
						expect(processOf(after.gateways, guild % to)).toBe(processOf(before.gateways, guild % from));
				}
			}),
		);
	});

	it.each([
		[8, 'the workers have 8 shards already'],
		[12, '8 shards can only be replaced by a whole multiple or a whole part of them, not by 12; use 16, for example'],
		[2, '4 sessions cannot carry 2 shards; use a multiple of 4, or reduce the sessions as well'],
	])('refuses %i shards in place of 8', (shards, message) => {
		expect(() => planShardCount({ ...input({ shards: 8, sessions: 4 }), ...more, shards })).toThrow(
			expect.objectContaining({ code: 'RESHARD_COUNT', message: expect.stringContaining(message) }),
		);
	});

	it('waits until the sessions are all of one count', () => {
		const plan = input({ shards: 8, sessions: 4 });
		const layout: Layout = { ...plan.layout, resharded: { sessions: 8, groups: [1] } };
		expect(() => planShardCount({ ...plan, layout, ...more, shards: 16 })).toThrow(/between 4 and 8 sessions/);
	});
});

describe('the steps of a resharding', () => {
	it.each([
		[{ sessions: 4 }, ['4 sessions']],
		[{ shards: 16 }, ['16 shards']],
		[{ sessions: 2, shards: 16 }, ['16 shards']],
		[{ sessions: 4, shards: 8 }, ['4 sessions']],
		[{ sessions: 16, shards: 16 }, ['16 shards', '16 sessions']],
		[{ sessions: 4, shards: 16 }, ['16 shards', '4 sessions']],
		[{ sessions: 4, shards: 4 }, ['4 sessions', '4 shards']],
		[{ sessions: 1, shards: 1 }, ['1 sessions', '1 shards']],
		[{ sessions: 1, shards: 2 }, ['1 sessions', '2 shards']],
	])('from 2 sessions and 8 shards with %j', (target, expected) => {
		expect(kinds(planSteps({ plan: input({ shards: 8, sessions: 2, perGateway: 8 }), ...more, ...target }))).toEqual(expected);
	});

	it('returns to fewer sessions and shards from a resharding that ended on the way', () => {
		const plan = input({ shards: 16, sessions: 4, perGateway: 16 });
		const layout: Layout = { ...plan.layout, resharded: { sessions: 8, groups: [1] } };
		const steps = planSteps({ plan: { ...plan, layout }, ...more, sessions: 4, shards: 8 });
		expect(kinds(steps)).toEqual(['4 sessions', '8 shards']);
		expect(steps[1]).toMatchObject({ plan: { layout: { totalShards: 8, sessions: 4 } } });
	});

	it('names --shards where the sessions need more of them', () => {
		const plan = input({ shards: 8, sessions: 8, perGateway: 8 });
		expect(() => planSteps({ plan, ...more, sessions: 16 })).toThrow(
			/8 shards, which 16 sessions cannot carry; give them more shards as well: "shardctl reshard 16 --shards 16"/,
		);
		expect(() => planSteps({ plan, ...more, sessions: 16, shards: 24 })).toThrow(/16 sessions cannot carry 24 shards/);
	});
});
