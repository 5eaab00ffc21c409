// Repeats what a command prints until the user interrupts, which is not an error.
import { sleep, systemClock } from '@shardctl/core';

export async function repeat(intervalMs: number, print: () => Promise<void>): Promise<void> {
	const enough = new AbortController();
	const onSignal = () => enough.abort();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal);
	try {
		for (;;) {
			await sleep(systemClock, intervalMs, enough.signal);
			await print();
		}
	} catch (error) {
		if (!enough.signal.aborted) throw error;
	}
}
