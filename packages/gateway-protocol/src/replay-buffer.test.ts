import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodedDispatch } from './dispatch.js';
import { ReplayBuffer } from './replay-buffer.js';

const event = (n: number) => EncodedDispatch.of('E', n);
const unlimited = { maxEvents: 1e9, maxBytes: 1e9, maxAgeMs: 1e9 };

test('returns missed events in order with their numbers', () => {
	const buffer = new ReplayBuffer(unlimited);
	for (let n = 1; n <= 5; n++) buffer.push(event(n), 0);
	expect(buffer.after(3)?.map(({ seq, dispatch }) => JSON.parse(dispatch.frame(seq)))).toEqual([
		{ op: 0, s: 4, t: 'E', d: 4 },
		{ op: 0, s: 5, t: 'E', d: 5 },
	]);
	expect(buffer.after(5)).toEqual([]);
	expect(buffer.after(6)).toBeUndefined();
});

test('numbers events that are not to be replayed, and leaves them out', () => {
	const buffer = new ReplayBuffer(unlimited);
	buffer.push(event(1), 0);
	buffer.push(null, 0);
	buffer.push(event(3), 0);
	expect(buffer.after(0)?.map(({ seq }) => seq)).toEqual([1, 3]);
});

test('drops the oldest at the limits of bytes and age', () => {
	const size = event(1).sizeBytes;
	const bytes = new ReplayBuffer({ ...unlimited, maxBytes: size * 2 });
	const age = new ReplayBuffer({ ...unlimited, maxAgeMs: 10 });
	for (let n = 1; n <= 3; n++) {
		bytes.push(event(n), 0);
		age.push(event(n), n * 10);
	}
	expect([bytes.after(0), bytes.after(1)?.length]).toEqual([undefined, 2]);
	expect([age.after(0), age.after(1)?.length]).toEqual([undefined, 2]);
});

test('allows a resume exactly as far back as the buffer reaches', () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5000 }), fc.nat(6000), (maxEvents, pushed, from) => {
			const buffer = new ReplayBuffer({ ...unlimited, maxEvents });
			for (let n = 1; n <= pushed; n++) buffer.push(event(n), 0);
			const missing = pushed - from;
			const expected = missing < 0 || missing > Math.min(maxEvents, pushed) ? undefined : missing;
			expect(buffer.after(from)?.length).toBe(expected);
			expect(buffer.size).toBe(Math.min(maxEvents, pushed));
		}),
		{ numRuns: 60 },
	);
});
