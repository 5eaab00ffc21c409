import { expect, it } from 'vitest';
import { planGateways } from './gateway-plan.js';

it('groups slices in order and never divides one', () => {
	expect(
		planGateways(
			[
				[0, 1],
				[2, 3],
				[4, 5],
			],
			4,
		),
	).toEqual([
		[0, 1, 2, 3],
		[4, 5],
	]);
	expect(
		planGateways(
			[
				[0, 1, 2],
				[3, 4, 5],
			],
			4,
		),
	).toEqual([
		[0, 1, 2],
		[3, 4, 5],
	]);
	expect(planGateways([[0, 1, 2, 3, 4]], 2)).toEqual([[0, 1, 2, 3, 4]]);
	expect(planGateways([], 4)).toEqual([]);
});
