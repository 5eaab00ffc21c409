import type { LogEntry } from '@shardctl/control';
import { expect, it } from 'vitest';
import { linePrinter } from './line-printer.js';

const entry = (pid: number, line: string): LogEntry => ({ at: 0, workerId: 0, shardIds: [0, 1], pid, stream: 'stdout', line });

function printer() {
	const lines: string[] = [];
	return { lines, ...linePrinter({ json: false, timestamps: false, write: (text) => void lines.push(text.trimEnd()) }) };
}

it('names no process while each worker has one', () => {
	const { lines, print } = printer();
	print([entry(7, 'a'), entry(7, 'b')]);
	expect(lines).toEqual(['[0-1] a', '[0-1] b']);
});

it('names the process of each line when a worker was replaced', () => {
	const { lines, print } = printer();
	print([entry(7, 'v1'), entry(8, 'v2')]);
	expect(lines).toEqual(['[0-1 7] v1', '[0-1 8] v2']);
});

it('names processes from the first line of a replacement on while it follows', () => {
	const { lines, show } = printer();
	show(entry(7, 'v1'));
	show(entry(8, 'v2'));
	expect(lines).toEqual(['[0-1] v1', '[0-1 8] v2']);
});

it('names the node of each line in a cluster', () => {
	const { lines, print } = printer();
	print([{ ...entry(7, 'a'), node: 'b' }]);
	expect(lines).toEqual(['[b 0-1] a']);
});
