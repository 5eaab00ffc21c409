import { describe, expect, it } from 'vitest';
import { type Column, clip, tableLines } from './table.js';

interface Row {
	id: number;
	name: string;
}
const columns: Column<Row>[] = [
	{ title: 'ID', cell: ({ id }) => String(id), align: 'right' },
	{ title: 'NAME', cell: ({ name }) => name },
	{ title: 'LESS', cell: () => 'less', leaves: 1 },
	{ title: 'LEAST', cell: () => 'least', leaves: 2 },
];
const rows = [
	{ id: 1, name: 'a' },
	{ id: 10, name: '\u001b[32mlonger\u001b[39m' },
];

describe('a table', () => {
	it('aligns its columns, with or without colours', () => {
		expect(tableLines(columns, rows)).toEqual([
			'ID  NAME    LESS  LEAST',
			' 1  a       less  least',
			'10  \u001b[32mlonger\u001b[39m  less  least',
		]);
	});

	it('drops columns in their order until the rest fits, and truncates what is still too long', () => {
		expect(tableLines(columns, rows, { width: 16 })[0]).toBe('ID  NAME    LESS');
		expect(tableLines(columns, rows, { width: 15 })[0]).toBe('ID  NAME');
		expect(tableLines(columns, rows, { width: 6 })).toEqual(['ID  N…', ' 1  a', '10  l…']);
	});
});

it('truncates only what is too long', () => {
	expect(clip('abc', 3)).toBe('abc');
	expect(clip('\u001b[1mabc\u001b[22m', 3)).toBe('\u001b[1mabc\u001b[22m');
	expect(clip('abcd', 3)).toBe('ab…');
});
