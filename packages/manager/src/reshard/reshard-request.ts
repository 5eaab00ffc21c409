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
export function noReshardInCluster(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'the sessions of a cluster cannot be replaced while it runs yet; stop it and start it with another session count',
	);
}
