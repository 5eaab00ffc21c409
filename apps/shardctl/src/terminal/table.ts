// Aligned columns without lines, as kubectl prints them, that fit the width there is. Pure.
import { stripVTControlCharacters } from 'node:util';

export interface Column<Row> {
	title: string;
	cell(row: Row): string;
	/** Default left. */
	align?: 'right';
	/** When the table is too wide, columns with the highest number are dropped first; those without one stay. */
	leaves?: number;
}

const gap = '  ';

/** Title and rows as lines. With `width`, columns are dropped until the rest fits; lines that are still too long are cut. */
export function tableLines<Row>(
	columns: readonly Column<Row>[],
	rows: readonly Row[],
	{ width = Number.POSITIVE_INFINITY, dim = (text) => text }: { width?: number; dim?: (text: string) => string } = {},
): string[] {
	let kept = columns.map((column) => {
		const cells = rows.map((row) => column.cell(row).replace(/\n/g, '\\n'));
		return { column, cells, width: Math.max(column.title.length, ...cells.map(textWidth)) };
	});
	while (total(kept) > width) {
		const next = kept.reduce((last, entry) => ((entry.column.leaves ?? 0) > (last.column.leaves ?? 0) ? entry : last));
		if (next.column.leaves === undefined) break;
		kept = kept.filter((entry) => entry !== next);
	}
	const line = (texts: readonly string[]) =>
		clip(
			texts
				.map((text, i) => pad(text, kept[i] as (typeof kept)[number]))
				.join(gap)
				.trimEnd(),
			width,
		);
	return [
		line(kept.map(({ column }) => dim(column.title))),
		...rows.map((_, index) => line(kept.map(({ cells }) => cells[index] as string))),
	];
}

/** Cuts a line that is too long; a line that is cut loses its colours. */
export function clip(line: string, width: number): string {
	const text = stripVTControlCharacters(line);
	return text.length <= width ? line : `${text.slice(0, Math.max(1, width - 1))}…`;
}

/** Colours have no width. */
export function textWidth(text: string): number {
	return stripVTControlCharacters(text).length;
}

function pad(text: string, { column, width }: { column: { align?: 'right' }; width: number }): string {
	const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
	return column.align === 'right' ? blanks + text : text + blanks;
}

function total(columns: readonly { width: number }[]): number {
	return columns.reduce((sum, { width }) => sum + width, 0) + gap.length * Math.max(0, columns.length - 1);
}
