// Follows a stream of the control API until the manager exits or the user interrupts.
import type { Followed } from '@shardctl/control';
import { printErr } from './terminal/print.js';
import { printableLine } from './terminal/printable.js';

/** Calls `show` with each item. Ctrl-C and SIGTERM end it, which is not an error. Reports skipped items and the end. */
export async function followStream<T>(
	open: (signal: AbortSignal) => AsyncIterable<Followed<T>>,
	show: (item: T) => void,
): Promise<void> {
	const enough = new AbortController();
	const onSignal = () => enough.abort();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal);
	try {
		for await (const followed of open(enough.signal)) {
			if ('item' in followed) show(followed.item);
			else printErr(`(${skippedText(followed)})\n`);
		}
		if (!enough.signal.aborted) printErr('the manager has exited\n');
	} catch (error) {
		if (!enough.signal.aborted) throw error;
	}
}

function skippedText({ skipped, node }: { skipped: number | null; node?: string }): string {
	if (node === undefined) return `${skipped} skipped: this client read too slowly`;
	if (skipped === null) return `node ${printableLine(node)} no longer responds: its last lines or events may be missing`;
	return `${skipped} of node ${printableLine(node)} skipped: the connection to it broke, or was too slow`;
}
