// Checks what a resharding is asked for with.
import { type ReshardRequest, ShardctlError } from '@shardctl/core';

/** Throws `OPTIONS_INVALID`. */
export function readReshardRequest(given: ReshardRequest): ReshardRequest {
	const { sessions, shards, dryRun, undo } = given ?? {};
	const invalid = (problem: string) => new ShardctlError('OPTIONS_INVALID', `reshard: ${problem}`, { details: { ...given } });
	for (const [name, value] of Object.entries({ dryRun, undo })) {
		if (value !== undefined && typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
	}
	if (undo && (sessions !== undefined || shards !== undefined)) {
		throw invalid('undo returns to the counts before; leave sessions and shards out');
	}
	if (undo) return { dryRun, undo };
	if (sessions === undefined && shards === undefined) throw invalid('give sessions, shards or both');
	for (const [name, count] of Object.entries({ sessions, shards })) {
		if (count !== undefined && !isCount(count)) throw invalid(`${name} must be a whole number from 1 to ${mostShards}`);
	}
	return { sessions, shards, dryRun };
}

/** More would take memory for nothing: the largest bots have some hundred. */
const mostShards = 65_536;

function isCount(value: unknown): boolean {
	return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= mostShards;
}

/** A node has only some of the bot's sessions. */
export function noReshardOfNode(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'this node has only some of the sessions of its cluster; "shardctl reshard" replaces those of all nodes',
	);
}

/** Where the next owner of sessions could not know that they were replaced. */
export function noReshardWithoutState(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'the nodes of this cluster share no state (--cluster-state none), so its sessions cannot be replaced while it runs; stop all nodes and start them with another --gateway-sessions',
	);
}

/** The streams of a queue belong to its shards. */
export function noShardCountWithQueue(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'the shard count of a fleet with a queue cannot be changed while it runs: the queue divides its events by it. Stop the fleet; run its ' +
			'workers with --workers-only until "shardctl queue" shows no lag, and stop them; delete the keys of the queue ' +
			'(shardctl:<application id>:queue*); then start the fleet with the new --shards',
	);
}

export function noReshardOfQueueInCluster(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'the sessions of a cluster with a queue cannot be replaced while it runs yet; stop all nodes and start them with another --gateway-sessions',
	);
}

/** A resharding that ended on the way. */
export function reshardFailure({
	from,
	to,
	done,
	total,
	why,
	cause,
}: {
	from: number;
	to: number;
	done: number;
	total: number;
	why: string;
	cause?: unknown;
}): ShardctlError {
	return new ShardctlError(
		'RESHARD_FAILED',
		`${done} of ${total} groups of sessions were replaced: ${why}; no event was lost. "shardctl reshard ${to}" continues, "shardctl reshard --undo" returns to ${from} sessions`,
		{ details: { done, total, from, to }, cause },
	);
}
