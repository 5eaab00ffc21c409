// What this worker knows of the bot's connections to the event queue. The library that makes them is the bot's own copy, so the two meet on
// a channel of Node's.
import { subscribe } from 'node:diagnostics_channel';
import {
	type QueueConnection,
	type QueueConnectionStatus,
	type QueueNews,
	type QueueWorkerFigures,
	queueChannel,
} from '@shardctl/core';
import type { WorkerRuntime } from './runtime.js';

/** From here on every connection of this process is followed; the newest that is open is the worker's. */
export function followQueue(runtime: Pick<WorkerRuntime, 'onShutdown' | 'reportQueue'>): void {
	/** Open connections and what became of them last, oldest first. */
	const open = new Map<QueueConnection, QueueConnectionStatus>();
	let isFollowed = false;
	const closeAtTheEnd = () => {
		if (isFollowed) return;
		isFollowed = true;
		// Their events go to the other workers as soon as this one is to end.
		runtime.onShutdown(async () => {
			await Promise.all([...open.keys()].map((each) => each.close()));
		});
	};
	subscribe(queueChannel, (message) => {
		const { connection, status } = message as QueueNews;
		closeAtTheEnd();
		const newestBefore = [...open.keys()].at(-1);
		if (status === 'closed') open.delete(connection);
		else open.set(connection, status);
		const [newest, itsStatus] = [...open].at(-1) ?? [connection, status];
		// What becomes of an older one is not what becomes of the worker.
		if (newest === connection || newest !== newestBefore) runtime.reportQueue(itsStatus, () => figuresOf(newest));
	});
}

function figuresOf(connection: QueueConnection): QueueWorkerFigures {
	const { partitions, inHand, handled, redelivered, expired, missed, dead } = connection.stats();
	return { group: connection.group, partitions, inHand, handled, redelivered, expired, missed, dead };
}
