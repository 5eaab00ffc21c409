import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mayContain, userHash, userHashes } from './user-ids.js';

const ids = fc.array(fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String));

it('contains every id it was made of', () => {
	fc.assert(
		fc.property(ids, (all) => {
			const hashes = userHashes(all);
			for (const id of all) expect(mayContain(hashes, userHash(id))).toBe(true);
			expect([...hashes]).toEqual([...new Set(all.map(userHash))].sort((a, b) => a - b));
		}),
	);
});

it('does not contain other ids, except rare hash collisions', () => {
	const hashes = userHashes(Array.from({ length: 1000 }, (_, index) => `10000000000000${index}`));
	const others = Array.from({ length: 1000 }, (_, index) => `20000000000000${index}`);
	expect(others.filter((id) => mayContain(hashes, userHash(id))).length).toBeLessThan(5);
});
