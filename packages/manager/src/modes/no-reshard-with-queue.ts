// Why a fleet with a queue is not resharded while it runs, and what to do instead.
import { ShardctlError } from '@shardctl/core';

/** The partitions of a queue belong to shards of one count. */
export function noReshardWithQueue(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'a fleet with a queue cannot be resharded while it runs: the queue divides its events by shard count. Stop the fleet; run its workers ' +
			'with --workers-only until "shardctl queue" shows no lag, and stop them; delete the keys of the queue ' +
			'(shardctl:<application id>:queue*); then start the fleet with the new --shards',
	);
}
