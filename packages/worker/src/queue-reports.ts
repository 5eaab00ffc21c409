// What this worker knows of the bot's connection to the event queue. The library that makes it is the bot's own copy, so the two meet on a
// channel of Node's.
import { subscribe } from 'node:diagnostics_channel';
import { type QueueConnection, type QueueNews, type QueueWorkerFigures, queueChannel } from '@shardctl/core';
import type { WorkerRuntime } from './runtime.js';

/** From here on every connection of this process is followed; the newest is the worker's. */
export function followQueue(runtime: Pick<WorkerRuntime, 'onShutdown' | 'reportQueue'>): void {
	const known = new WeakSet<QueueConnection>();
	subscribe(queueChannel, (message) => {
		const { connection, status } = message as QueueNews;
		if (!known.has(connection)) {
			known.add(connection);
			// Its events go to the other workers as soon as this one is to end.
			runtime.onShutdown(() => connection.close());
		}
		runtime.reportQueue(status, () => figuresOf(connection));
	});
}

function figuresOf(connection: QueueConnection): QueueWorkerFigures {
	const { partitions, inHand, handled, redelivered, expired, missed, dead } = connection.stats();
	return { group: connection.group, partitions, inHand, handled, redelivered, expired, missed, dead };
}
