import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { orAborted } from './abort.js';

it('settles like the promise, and leaves no listener', async () => {
	const { signal } = new AbortController();
	expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
	await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
	expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('rejects with the reason of the signal that aborts first, or has aborted', async () => {
	const controller = new AbortController();
	const waiting = orAborted(new Promise(() => {}), controller.signal);
	controller.abort(new Error('enough'));
	await expect(waiting).rejects.toThrow('enough');
	await expect(orAborted(Promise.resolve(1), controller.signal)).rejects.toThrow('enough');
});
