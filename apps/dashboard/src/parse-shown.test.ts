import { expect, it } from 'vitest';
import { parseShown } from './parse-shown.ts';

const read = (value: unknown) => parseShown(JSON.stringify(value));

it('takes out what a terminal would act on, and leaves the lines of a text', () => {
	expect(
		read({
			line: '\u001b[31mred\u001b[0m\u0007\tand \u009b1mbold\r',
			text: 'one\ntwo',
			title: '\u001b]0;pwned\u0007\u009dx\u009cok',
		}),
	).toEqual({
		line: 'red\tand bold',
		text: 'one\ntwo',
		title: 'ok',
	});
});

it('shows what would turn the direction of the text around it, and leaves languages that are written from the right', () => {
	expect(read(['photo\u202egpj.exe', '\u2066inside\u2069', 'שלום\u200f!'])).toEqual([
		'photo\ufffdgpj.exe',
		'\ufffdinside\ufffd',
		'שלום\u200f!',
	]);
});

it('leaves markup and what only looks like an escape as it is', () => {
	const harmless = ['<img src=x onerror=alert(1)>', 'C:\\u001b\\bin', 1, null, { '\\r': true }];
	expect(read(harmless)).toEqual(harmless);
});
