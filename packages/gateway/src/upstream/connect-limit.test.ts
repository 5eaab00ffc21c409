import { expect, it } from 'vitest';
import { ConnectLimit } from './connect-limit.js';

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('admits a limited number at once, and the next in order when one is done', async () => {
	const limit = new ConnectLimit(2);
	const begun: number[] = [];
	const ends = new Map<number, () => void>();
	for (const id of [1, 2, 3, 4]) {
		void limit.enter(never).then((end) => {
			begun.push(id);
			ends.set(id, end);
		});
	}
	await settled();
	expect(begun).toEqual([1, 2]);
	ends.get(2)?.();
	ends.get(2)?.();
	await settled();
	expect(begun).toEqual([1, 2, 3]);
	ends.get(1)?.();
	ends.get(3)?.();
	await settled();
	expect(begun).toEqual([1, 2, 3, 4]);
});

it('removes a waiting one that is cancelled', async () => {
	const limit = new ConnectLimit(1);
	const end = await limit.enter(never);
	const cancel = new AbortController();
	const cancelled = limit.enter(cancel.signal);
	const next = limit.enter(never);
	cancel.abort(new Error('no more'));
	await expect(cancelled).rejects.toThrow('no more');
	await expect(limit.enter(cancel.signal)).rejects.toThrow('no more');
	end();
	(await next)();
	(await limit.enter(never))();
});
