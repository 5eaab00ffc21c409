// What happens to each worker while `deploy` or `restart --rolling` is under way, on standard error. It is talk: when the stream
// breaks off, what was asked for goes on.

import type { ControlClient, FleetEvent, FleetEventType } from '@shardctl/control';
import { sleep, systemClock } from '@shardctl/core';

/** How long the last events may come after the answer, which travels by another connection. */
const lastEventsMs = 500;

/** Runs `action` and meanwhile tells the events of these types. */
export async function withProgress<T>(
	client: ControlClient,
	types: readonly FleetEventType[],
	action: () => Promise<T>,
): Promise<T> {
	const over = new AbortController();
	const told = tellEvents(client, types, over.signal);
	try {
		return await action();
	} finally {
		await Promise.race([told, sleep(systemClock, lastEventsMs, over.signal).catch(() => {})]);
		over.abort();
		await told;
	}
}

/** Until the last worker has had its turn. */
async function tellEvents(client: ControlClient, types: readonly FleetEventType[], signal: AbortSignal): Promise<void> {
	const { describeEvent } = await import('./fleet-event-text.js');
	try {
		for await (const followed of client.followEvents({ tail: 0, signal })) {
			if (!('item' in followed)) continue;
			const event = followed.item;
			if (types.includes(event.type) && !isBeginning(event)) process.stderr.write(`${describeEvent(event).text}\n`);
			if (isLast(event)) return;
		}
	} catch {
		// The manager has ended, or what was asked for has.
	}
}

function isBeginning(event: FleetEvent): boolean {
	return event.type === 'restart:progress' && event.step === 'restarting';
}

function isLast(event: FleetEvent): boolean {
	return event.type === 'restart:progress' && (event.step === 'failed' || (event.step === 'ready' && event.done === event.total));
}
