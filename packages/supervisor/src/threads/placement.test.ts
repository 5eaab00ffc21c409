import { describe, expect, it } from 'vitest';
import { choosePlace, type Place } from './placement.js';

const place = (...owners: number[]): Place => ({ isOpen: true, owners });
const choose = (places: readonly Place[], owner: number, last?: Place) =>
	choosePlace(places, { owner, last, threadsPerProcess: 2 });

describe('choosePlace', () => {
	it('needs a new process where there is none, and where all are full', () => {
		expect(choose([], 0)).toBeUndefined();
		expect(choose([place(0, 1), place(2, 3)], 4)).toBeUndefined();
	});

	it('takes the newest process with room', () => {
		const [old, fresh] = [place(0), place(2)];
		expect(choose([old, fresh, place(4, 5)], 3)).toBe(fresh);
	});

	it('goes back to the process that the owner was in, unless that is full, closed or gone', () => {
		const [own, newer] = [place(1), place(2)];
		expect(choose([own, newer], 0, own)).toBe(own);
		const full = place(1, 3);
		expect(choose([full, newer], 0, full)).toBe(newer);
		const closed = { ...own, isOpen: false };
		expect(choose([closed, newer], 0, closed)).toBe(newer);
		expect(choose([newer], 0, own)).toBe(newer);
	});

	it('never joins a living thread of the same owner, so that a deploy of all moves to new processes', () => {
		let places = [place(0, 1), place(2, 3)];
		for (const owner of [0, 1, 2, 3]) {
			const last = places.find(({ owners }) => owners.includes(owner));
			const found = choose(places, owner, last);
			expect(found).not.toBe(last);
			// The new thread is there beside the old one, which then ends.
			places = found ? places.map((one) => (one === found ? place(...one.owners, owner) : one)) : [...places, place(owner)];
			places = places
				.map((one) =>
					one === places.findLast(({ owners }) => owners.includes(owner))
						? one
						: place(...one.owners.filter((id) => id !== owner)),
				)
				.filter(({ owners }) => owners.length > 0);
		}
		expect(places.map(({ owners }) => owners)).toEqual([
			[0, 1],
			[2, 3],
		]);
	});
});
