import { describe, expect, it, vi } from 'vitest';
import { onAbort } from './abort-hub.js';

describe('onAbort', () => {
	it('runs every callback once, and none that was removed', () => {
		const abort = new AbortController();
		const calls: string[] = [];
		onAbort(abort.signal, () => calls.push('a'));
		const off = onAbort(abort.signal, () => calls.push('b'));
		onAbort(abort.signal, () => calls.push('c'));
		off();
		abort.abort();
		expect(calls).toEqual(['a', 'c']);
	});

	it('keeps one listener on a signal that many calls share, and none when the last is removed', () => {
		const { signal } = new AbortController();
		const add = vi.spyOn(signal, 'addEventListener');
		const remove = vi.spyOn(signal, 'removeEventListener');
		const offs = Array.from({ length: 1000 }, () => onAbort(signal, () => {}));
		expect(add).toHaveBeenCalledTimes(1);
		for (const off of offs) off();
		expect(remove).toHaveBeenCalledTimes(1);
		onAbort(signal, () => {})();
		expect(add).toHaveBeenCalledTimes(2);
		expect(remove).toHaveBeenCalledTimes(2);
	});

	it('allows a callback to remove others while they run', () => {
		const abort = new AbortController();
		const calls: string[] = [];
		const offs: (() => void)[] = [];
		offs.push(
			onAbort(abort.signal, () => {
				calls.push('first');
				for (const off of offs) off();
			}),
		);
		offs.push(onAbort(abort.signal, () => calls.push('second')));
		abort.abort();
		expect(calls).toEqual(['first']);
	});
});
