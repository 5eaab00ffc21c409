// The results of a run, for a terminal.
import Table from 'cli-table3';
import { medianOf, ratio } from '../harness/measurements.mjs';

/** Medians of the rounds; after each peer's, in brackets, how it compares to shardctl: the median of the rounds' ratios and their spread. */
export function printRows(rows) {
	if (rows.length === 0) return;
	const contenders = [...new Set(rows.flatMap((row) => Object.keys(row.values)))];
	const table = new Table({ head: ['', 'unit', ...contenders], style: { head: [], border: [] }, colAligns: ['left', 'left'] });
	for (const row of rows) {
		table.push([row.title, row.unit, ...contenders.map((contender) => cell(row, contender))]);
	}
	console.log(table.toString());
}

export function printClaims(claims) {
	if (claims.length === 0) return;
	const table = new Table({ head: ['must show', 'found', ''], style: { head: [], border: [] } });
	for (const { text, found, holds, remark } of claims) {
		table.push([remark ? `${text}\n  ${remark}` : text, found, holds ? 'yes' : 'MISSED']);
	}
	console.log(table.toString());
}

function cell(row, contender) {
	const value = medianOf(row, contender);
	if (value === undefined) return '';
	const figure = value.toFixed(row.digits);
	if (contender === 'shardctl') return figure;
	const to = ratio(row, 'shardctl', contender);
	if (!to || !Number.isFinite(to.median)) return figure;
	const spread = row.values[contender].length > 1 ? ` ${to.min.toFixed(2)}–${to.max.toFixed(2)}` : '';
	return `${figure}\n(×${to.median.toFixed(2)}${spread})`;
}
