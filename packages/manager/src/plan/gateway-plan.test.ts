import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planGateways } from './gateway-plan.js';

const first = (count: number) => Array.from({ length: count }, (_, id) => id);
const plan = (totalShards: number, sessions: number, shardsPerWorker: number, shardsPerGateway: number) =>
	planGateways(first(totalShards), { totalShards, sessions, shardsPerWorker, shardsPerGateway });

it('groups slices in order and never divides one', () => {
	expect(plan(6, 6, 2, 4).gateways).toEqual([
		[0, 1, 2, 3],
		[4, 5],
	]);
	expect(plan(6, 6, 3, 4).gateways).toEqual([
		[0, 1, 2],
		[3, 4, 5],
	]);
	expect(plan(5, 5, 5, 2).gateways).toEqual([[0, 1, 2, 3, 4]]);
});

it('gives each process whole sessions, and its workers shards of those', () => {
	expect(plan(6, 2, 2, 16)).toEqual({
		slices: [
			[0, 1],
			[2, 3],
			[4, 5],
		],
		gateways: [[0, 1, 2, 3, 4, 5]],
	});
	expect(plan(8, 4, 3, 4)).toEqual({
		slices: [
			[0, 1],
			[2, 3],
			[4, 5],
			[6, 7],
		],
		gateways: [
			[0, 1, 4, 5],
			[2, 3, 6, 7],
		],
	});
	expect(plan(32, 1, 4, 16).gateways).toEqual([first(32)]);
});

it('contains every shard once, and divides neither workers nor sessions', () => {
	const count = fc.integer({ min: 1, max: 30 });
	fc.assert(
		fc.property(count, fc.integer({ min: 1, max: 6 }), count, count, (sessions, factor, shardsPerWorker, shardsPerGateway) => {
			const { slices, gateways } = plan(sessions * factor, sessions, shardsPerWorker, shardsPerGateway);
			const sorted = (lists: number[][]) => lists.flat().sort((a, b) => a - b);
			expect(sorted(slices)).toEqual(first(sessions * factor));
			expect(sorted(gateways)).toEqual(first(sessions * factor));
			expect(slices.map(([id]) => id)).toEqual(slices.map(([id]) => id as number).sort((a, b) => a - b));
			const processOf = new Map(gateways.flatMap((held, process) => held.map((id) => [id, process] as const)));
			for (const slice of slices) {
				expect(new Set(slice.map((id) => processOf.get(id))).size).toBe(1);
				expect(slice.length).toBeLessThanOrEqual(shardsPerWorker);
			}
			for (const id of first(sessions * factor)) expect(processOf.get(id)).toBe(processOf.get(id % sessions));
		}),
	);
});
