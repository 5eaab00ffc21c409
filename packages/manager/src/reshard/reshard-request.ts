// Checks what a resharding is asked for with.
import { type ReshardRequest, ShardctlError } from '@shardctl/core';

/** Throws `OPTIONS_INVALID`. */
export function readReshardRequest(given: ReshardRequest): ReshardRequest {
	const { sessions, dryRun, undo } = given ?? {};
	const invalid = (problem: string) => new ShardctlError('OPTIONS_INVALID', `reshard: ${problem}`, { details: { ...given } });
	for (const [name, value] of Object.entries({ dryRun, undo })) {
		if (value !== undefined && typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
	}
	if (undo && sessions !== undefined) throw invalid('undo returns to the session count before; leave sessions out');
	if (undo) return { dryRun, undo };
	if (typeof sessions !== 'number' || !Number.isSafeInteger(sessions) || sessions < 1) {
		throw invalid('sessions must be a whole number from 1');
	}
	return { sessions, dryRun };
}

/** A node has only some of the bot's sessions. */
export function noReshardInCluster(): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		'the sessions of a cluster cannot be replaced while it runs yet; stop it and start it with another session count',
	);
}
