import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { observeEmits } from './observe-emits.js';

it('sees events when every listener was removed, and adds none', () => {
	const emitter = new EventEmitter();
	const seen: unknown[] = [];
	observeEmits(emitter, { ready: (id: number) => seen.push(['ready', id]) });
	observeEmits(emitter, {
		ready: (id: number) => seen.push(['also', id]),
		closed: (code: number) => seen.push(['closed', code]),
	});
	emitter.removeAllListeners();
	expect(emitter.eventNames()).toEqual([]);
	expect(Object.keys(emitter)).not.toContain('emit');
	expect(emitter.emit('ready', 3)).toBe(false);
	emitter.emit('closed', 4000);
	emitter.emit('other', 1);
	expect(seen).toEqual([
		['also', 3],
		['ready', 3],
		['closed', 4000],
	]);
});

it('passes every event on, with its arguments and its result', () => {
	const emitter = new EventEmitter();
	observeEmits(emitter, { a: () => {} });
	const got: unknown[] = [];
	emitter.on('a', (...args: unknown[]) => got.push(args));
	emitter.on('b', (...args: unknown[]) => got.push(args));
	expect([emitter.emit('a', 1, 2), emitter.emit('b'), emitter.emit('c')]).toEqual([true, true, false]);
	expect(got).toEqual([[1, 2], []]);
});
