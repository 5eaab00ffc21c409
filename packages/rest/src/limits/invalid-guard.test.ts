import { expect, it } from 'vitest';
import { InvalidGuard } from './invalid-guard.js';

const minute = 60_000;

it.each([
	[401, undefined, 1],
	[403, undefined, 1],
	[429, 'user', 1],
	[429, 'global', 1],
	[429, undefined, 1],
	[429, 'shared', 0],
	[404, undefined, 0],
	[500, undefined, 0],
	[200, undefined, 0],
])('counts %d of scope %s as %d', (status, scope, count) => {
	const guard = new InvalidGuard();
	guard.note({ status, scope }, 0);
	expect(guard.count(0)).toBe(count);
});

it('closes at 80 % of the limit, and opens again below 70 %', () => {
	const guard = new InvalidGuard(10);
	for (let n = 0; n < 2; n++) guard.note({ status: 403, scope: undefined }, 0);
	for (let n = 0; n < 5; n++) guard.note({ status: 403, scope: undefined }, 5 * minute);
	expect(guard.isClosed(5 * minute)).toBe(false);
	guard.note({ status: 401, scope: undefined }, 6 * minute);
	expect(guard.isClosed(6 * minute)).toBe(true);
	guard.note({ status: 401, scope: undefined }, 7 * minute);
	// Two have left the ten minutes: seven are left.
	expect([guard.count(11 * minute), guard.isClosed(11 * minute)]).toEqual([7, true]);
	expect([guard.count(15.5 * minute), guard.isClosed(15.5 * minute)]).toEqual([2, false]);
});

it('forgets after ten minutes, and never sooner', () => {
	const guard = new InvalidGuard();
	guard.note({ status: 403, scope: undefined }, 9999);
	expect([guard.count(609_999), guard.count(620_000)]).toEqual([1, 0]);
});
