// Reports the progress of `deploy` and `restart --rolling`, worker by worker, on standard error. Progress is only informative:
// when the stream breaks off, the operation continues.
import type { ControlClient, FleetEvent, FleetEventType } from '@shardctl/control';
import { sleep, systemClock } from '@shardctl/core';
import { printErr } from './terminal/print.js';

/** How long to wait for the last events: they may arrive after the response, which uses another connection. */
const lastEventsMs = 500;

/** Runs `action` and meanwhile prints the events of these types. */
export async function withProgress<T>(
	client: ControlClient,
	types: readonly FleetEventType[],
	action: () => Promise<T>,
): Promise<T> {
	const over = new AbortController();
	const printed = printEvents(client, types, over.signal);
	try {
		return await action();
	} finally {
		await Promise.race([printed, sleep(systemClock, lastEventsMs, over.signal).catch(() => {})]);
		over.abort();
		await printed;
	}
}

/** Until the last worker is done. */
async function printEvents(client: ControlClient, types: readonly FleetEventType[], signal: AbortSignal): Promise<void> {
	const { describeEvent } = await import('./fleet-event-text.js');
	try {
		for await (const followed of client.followEvents({ tail: 0, signal })) {
			if (!('item' in followed)) continue;
			const event = followed.item;
			if (types.includes(event.type) && !isBegin(event)) printErr(`${describeEvent(event).text}\n`);
			if (isLast(event)) return;
		}
	} catch {
		// The manager has exited, or the operation has ended.
	}
}

function isBegin(event: FleetEvent): boolean {
	return event.type === 'restart:progress' && event.step === 'restarting';
}

function isLast(event: FleetEvent): boolean {
	return event.type === 'restart:progress' && (event.step === 'failed' || (event.step === 'ready' && event.done === event.total));
}
