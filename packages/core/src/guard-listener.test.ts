import { expect, it } from 'vitest';
import { guardListener } from './guard-listener.js';

it.each<[string, (text: string) => unknown]>([
	[
		'a throw',
		(text) => {
			throw new TypeError(text);
		},
	],
	[
		'a rejection',
		async (text) => {
			throw new TypeError(text);
		},
	],
])('contains %s, and reports it with the arguments', async (_, listener) => {
	const failures: unknown[] = [];
	guardListener(listener, (error, text) => failures.push([(error as Error).message, text]))('input');
	await Promise.resolve();
	await Promise.resolve();
	expect(failures).toEqual([['input', 'input']]);
});

it('passes all arguments on, and reports nothing when nothing fails', () => {
	const seen: unknown[] = [];
	const guarded = guardListener(
		(a: number, b: string) => seen.push(a, b),
		() => seen.push('failure'),
	);
	guarded(1, 'two');
	expect(seen).toEqual([1, 'two']);
});
