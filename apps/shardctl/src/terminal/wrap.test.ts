import { expect, it } from 'vitest';
import { fold, wrap } from './wrap.js';

it('A5: continues a sentence on the next line, and cuts what is very long', () => {
	expect(wrap('✖ worker 0 is restarting; for 2s; next try in 4s', 30)).toEqual([
		'✖ worker 0 is restarting; for',
		'  2s; next try in 4s',
	]);
	expect(wrap('short', 30)).toEqual(['short']);
	expect(wrap('any length', Number.POSITIVE_INFINITY)).toEqual(['any length']);
	const cut = wrap('word '.repeat(100), 20);
	expect([cut.length, cut.at(-1)]).toEqual([4, '  word word word …']);
});

it.each([10, 20, 40, 79])('keeps every line within a width of %s', (width) => {
	const texts = [
		'',
		' ',
		'x'.repeat(200),
		'a bc '.repeat(50),
		`short ${'y'.repeat(90)} end`,
		'  → do this, then that, and then look again',
	];
	for (const text of texts) {
		expect(wrap(text, width).filter((line) => line.length > width)).toEqual([]);
		expect(fold(text.split('a'), width).filter((line) => line.length > width)).toEqual([]);
	}
});

it('puts as many parts on a line as fit', () => {
	expect(fold(['one', 'two', 'three'], 10)).toEqual(['one · two', 'three']);
	expect(fold(['one', 'two', 'three'], 80)).toEqual(['one · two · three']);
	expect(fold([], 80)).toEqual([]);
});
