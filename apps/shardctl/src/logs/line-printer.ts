// Prints the lines of bots. Where those of a worker come from more than one process, each line has the number of its process.
import type { LogEntry } from '@shardctl/control';
import { workerMark } from '@shardctl/core';
import { out, workerColour } from '../terminal/colours.js';
import { printOut } from '../terminal/print.js';
import { printableBotLine, printableLine } from '../terminal/printable.js';

export interface LinePrinter {
	/** Prints lines that are known together. */
	print(entries: readonly LogEntry[]): void;
	/** Prints the next line. */
	show(entry: LogEntry): void;
}

export interface LinePrinterOptions {
	json: boolean;
	timestamps: boolean;
	write?(text: string): void;
}

export function linePrinter({ json, timestamps, write = (text) => void printOut(text) }: LinePrinterOptions): LinePrinter {
	/** The process of each worker whose line was printed last. */
	const seen = new Map<number, number | null>();
	let several = false;
	const note = ({ workerId, pid }: LogEntry) => {
		if (seen.has(workerId) && seen.get(workerId) !== pid) several = true;
		seen.set(workerId, pid);
	};
	const line = (entry: LogEntry): string => {
		if (json) return `${JSON.stringify(entry)}\n`;
		const time = timestamps ? `${out.dim(new Date(entry.at).toISOString())} ` : '';
		const node = entry.node === undefined ? '' : `${printableLine(entry.node)} `;
		const which = `${node}${workerMark(entry.workerId, entry.shardIds)}${several && entry.pid ? ` ${entry.pid}` : ''}`;
		return `${time}${workerColour(out, entry.workerId)(`[${which}]`)} ${printableBotLine(entry.line)}\n`;
	};
	return {
		print(entries) {
			for (const entry of entries) note(entry);
			for (const entry of entries) write(line(entry));
		},
		show(entry) {
			note(entry);
			write(line(entry));
		},
	};
}
