// The error of a fleet whose shards are not those by which the queue in Redis divides the events.
import { ShardctlError } from '@shardctl/core';
import type { QueueKeys } from './keys.js';
import type { QueueLayout } from './partitions.js';

export function layoutMismatch({ meta }: Pick<QueueKeys, 'meta'>, fleet: QueueLayout, queue: QueueLayout): ShardctlError {
	return new ShardctlError(
		'QUEUE_MISMATCH',
		`the queue in Redis divides the events of ${queue.shards} shards and this fleet has ${fleet.shards}: start it with ` +
			`--shards ${queue.shards}, or stop all workers of the queue and delete its keys (${meta}*)`,
		{ details: { fleet: { ...fleet }, queue: { ...queue } } },
	);
}
