import { describe, expect, it, vi } from 'vitest';
import { memoryPortPair } from './memory-port.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('two ports in memory', () => {
	it('deliver asynchronously, in order, and only JSON values', async () => {
		const [near, far] = memoryPortPair();
		const seen: unknown[] = [];
		far.onMessage((message) => seen.push(message));
		const done = vi.fn<(error: Error | null) => void>();
		expect(near.send({ n: 1, lost: undefined, at: new Date(0) }, done)).toBe(true);
		near.send({ n: 2 }, done);
		expect(seen).toEqual([]);
		expect(done).not.toHaveBeenCalled();
		await settled();
		expect(seen).toEqual([{ n: 1, at: '1970-01-01T00:00:00.000Z' }, { n: 2 }]);
		expect(done.mock.calls).toEqual([[null], [null]]);
	});

	it('throw for a message that JSON cannot represent, and do not call done', async () => {
		const [near] = memoryPortPair();
		const done = vi.fn<(error: Error | null) => void>();
		expect(() => near.send(1n, done)).toThrow(TypeError);
		await settled();
		expect(done).not.toHaveBeenCalled();
	});

	it('report the close to both ends once, drop messages in flight, and fail later ones', async () => {
		const [near, far] = memoryPortPair();
		const closed = vi.fn<(end: string) => void>();
		const seen = vi.fn<(message: unknown) => void>();
		const done = vi.fn<(error: Error | null) => void>();
		near.onClose(() => closed('near'));
		far.onClose(() => closed('far'));
		far.onMessage(seen);
		near.send(1, done);
		far.close();
		near.close();
		near.send(2, done);
		await settled();
		expect(closed.mock.calls).toEqual([['near'], ['far']]);
		expect(seen).not.toHaveBeenCalled();
		expect(done.mock.calls.map(([error]) => error instanceof Error)).toEqual([true, true]);
		near.onClose(() => closed('late'));
		await settled();
		expect(closed).toHaveBeenLastCalledWith('late');
	});

	it('signal congestion above the high-water mark', () => {
		const [near] = memoryPortPair({ highWaterMark: 2 });
		expect(near.send(1, () => {})).toBe(true);
		expect(near.send(2, () => {})).toBe(false);
	});
});
