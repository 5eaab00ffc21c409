import { describe, expect, it } from 'vitest';
import { ShardctlError } from './errors.js';
import { scriptSource } from './script-source.js';

/** A function as a minifier would write it. */
const written = (text: string): unknown => new Function(`return ${text}`)();

describe('scriptSource', () => {
	it.each([
		'(client) => client',
		'async (client, context) => context',
		'async(c)=>c',
		'async({guilds:g})=>g',
		'c=>c',
		'async c=>c',
		'$=>$',
		'function (client) { return client }',
		'async function named(client) { return client }',
		'function* () { yield 1 }',
		'async/*why*/(c)=>c',
	])('returns the text of %s', (text) => {
		expect(scriptSource(written(text))).toEqual({ kind: 'function', source: text });
	});

	it('returns a string unchanged, even with a syntax error: that shows where it runs', () => {
		expect(scriptSource('client.guilds.cache.size +')).toEqual({ kind: 'text', source: 'client.guilds.cache.size +' });
	});

	it.each([
		[
			'a method',
			{
				run(client: unknown) {
					return client;
				},
			}.run,
		],
		['a bound function', (() => 1).bind(null)],
		['a native function', Math.max],
		['a class', class Client {}],
		[
			'a getter',
			Object.getOwnPropertyDescriptor(
				{
					get size() {
						return 1;
					},
				},
				'size',
			)?.get,
		],
		['nothing', undefined],
		['null', null],
		['a number', 5],
	])('rejects %s', (_, script) => {
		expect(() => scriptSource(script)).toThrow(ShardctlError);
		expect(() => scriptSource(script)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
	});
});
