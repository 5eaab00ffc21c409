import { expect, it } from 'vitest';
import { CallShare } from './call-share.js';

it('finding 15: runs a limited number of calls of a worker at once, and the others in order', async () => {
	const share = new CallShare();
	const ends: (() => void)[] = [];
	const began: number[] = [];
	const never = new AbortController().signal;
	const calls = Array.from({ length: 600 }, (_, index) =>
		share.run(async () => {
			began.push(index);
			await new Promise<void>((resolve) => ends.push(resolve));
			return index;
		}, never),
	);
	expect(began).toHaveLength(256);
	for (let done = 0; done < 600; done++) {
		ends[done]?.();
		await calls[done];
	}
	expect(began).toEqual(Array.from({ length: 600 }, (_, index) => index));
	expect(await Promise.all(calls)).toEqual(began);
});

it('finding 15: skips a call that was cancelled while it waited, and continues after a failed one', async () => {
	const share = new CallShare();
	const never = new AbortController().signal;
	let fail = () => {};
	const failing = Array.from({ length: 256 }, () =>
		share.run(
			() =>
				new Promise<void>((_, reject) => {
					const before = fail;
					fail = () => {
						before();
						reject(new Error('it failed'));
					};
				}),
			never,
		),
	);
	const cancelled = new AbortController();
	let ran = false;
	const waiting = share.run(() => {
		ran = true;
	}, cancelled.signal);
	const last = share.run(() => 'done', never);
	cancelled.abort(new Error('no longer wanted'));
	fail();
	await Promise.allSettled(failing);
	await expect(waiting).rejects.toThrow('no longer wanted');
	expect({ ran, last: await last }).toEqual({ ran: false, last: 'done' });
});
