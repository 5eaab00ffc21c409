// Checks the options and targets of calls into a fleet. The manager, a bot and `client.shard` use the same checks, so that a mistyped
// target is refused everywhere and never turns a call to one worker into a call to all.
import type { CallOptions } from './contract/calls.js';
import type { RespawnAllOptions } from './contract/worker.js';
import { describeValue } from './describe-value.js';
import { ShardctlError } from './errors.js';
import { nearestName } from './nearest-name.js';
import { formatShardIds, isSnowflake } from './shards.js';

const callOptionNames = ['shard', 'guildId', 'timeoutMs', 'settle', 'signal'] as const satisfies readonly (keyof CallOptions)[];
const evalOptionNames = ['context', ...callOptionNames] as const;
const respawnAllOptionNames = ['rolling', 'parallel', 'delayMs'] as const satisfies readonly (keyof RespawnAllOptions)[];

/**
 * The options of a call. A number is the shard, as in discord.js's `fetchClientValues(path, shard)`; undefined for no options.
 * Throws `OPTIONS_INVALID`, and `SHARD_NOT_OWNED` for a shard that cannot exist.
 */
export function readCallOptions(given: unknown): CallOptions {
	return checked(typeof given === 'number' ? { shard: given } : optionsObject('a call', given, callOptionNames));
}

/** As {@link readCallOptions}, with the script's context apart. */
export function readEvalOptions(given: unknown): { context: unknown; options: CallOptions } {
	if (typeof given === 'number') return { context: undefined, options: checked({ shard: given }) };
	const { context, ...options } = optionsObject('a call', given, evalOptionNames);
	return { context, options: checked(options) };
}

/** The options of `respawnAll`. Throws `OPTIONS_INVALID`. */
export function readRespawnAllOptions(given: unknown): RespawnAllOptions {
	const { rolling, parallel, delayMs } = optionsObject('respawnAll', given, respawnAllOptionNames);
	if (rolling !== undefined && typeof rolling !== 'boolean') throw invalid('rolling', 'true or false', rolling);
	if (parallel !== undefined && !isWholeNumber(parallel, 1)) throw invalid('parallel', 'a whole number from 1', parallel);
	if (delayMs !== undefined && !isDuration(delayMs)) throw invalid('delayMs', 'a number of milliseconds from 0', delayMs);
	return {
		...(rolling === undefined ? {} : { rolling }),
		...(parallel === undefined ? {} : { parallel: parallel as number }),
		...(delayMs === undefined ? {} : { delayMs: delayMs as number }),
	};
}

/** The options of `getShardStats`. Throws `OPTIONS_INVALID`. */
export function readShardStatsOptions(given: unknown): { fresh: boolean } {
	const { fresh = false } = optionsObject('getShardStats', given, ['fresh']);
	if (typeof fresh !== 'boolean') throw invalid('fresh', 'true or false', fresh);
	return { fresh };
}

/** A shard id. Throws `SHARD_NOT_OWNED` for a value that is none: no manager has such a shard. */
export function readShardId(given: unknown, name = 'shardId'): number {
	if (isWholeNumber(given, 0)) return given;
	throw new ShardctlError('SHARD_NOT_OWNED', `${name} must be a whole number from 0, got ${describeValue(given)}`, {
		details: { shardId: given },
	});
}

/** A guild id. Throws `OPTIONS_INVALID`. */
export function readGuildId(given: unknown): string {
	if (typeof given === 'string' && isSnowflake(given)) return given;
	throw invalid('guildId', 'a Discord id as a string', given);
}

/** The error of a call to a shard that the manager does not run. `isQueue`: its workers have no shards. */
export function shardNotOwned(
	shardId: number,
	fleet: { shardIds: readonly number[]; totalShards: number; isQueue?: boolean },
): ShardctlError {
	const { shardIds, totalShards, isQueue = false } = fleet;
	if (isQueue) {
		const message = `no worker has shard ${shardId}: the events of this fleet go to a queue, so name a worker instead (shardctl restart --worker N)`;
		return new ShardctlError('SHARD_NOT_OWNED', message, { details: { shardId } });
	}
	const owned = shardIds.length === 0 ? 'none yet' : `shards ${formatShardIds(shardIds)} of ${totalShards}`;
	return new ShardctlError('SHARD_NOT_OWNED', `shard ${shardId} is not run by this manager, which runs ${owned}`, {
		details: { shardId },
	});
}

function checked({ shard, guildId, timeoutMs, settle, signal }: Record<string, unknown>): CallOptions {
	if (shard !== undefined && guildId !== undefined) {
		throw new ShardctlError('OPTIONS_INVALID', 'a call goes to a shard or to a guild, not both');
	}
	if (timeoutMs !== undefined && !isDuration(timeoutMs)) {
		throw invalid('timeoutMs', 'a number of milliseconds (0 or Infinity: no deadline)', timeoutMs);
	}
	if (settle !== undefined && typeof settle !== 'boolean') throw invalid('settle', 'true or false', settle);
	if (signal !== undefined && !isSignal(signal)) throw invalid('signal', 'an AbortSignal', signal);
	return {
		...(shard === undefined ? {} : { shard: readShardId(shard, 'shard') }),
		...(guildId === undefined ? {} : { guildId: readGuildId(guildId) }),
		...(timeoutMs === undefined ? {} : { timeoutMs: timeoutMs as number }),
		...(settle === undefined ? {} : { settle }),
		...(signal === undefined ? {} : { signal }),
	};
}

/** Throws `OPTIONS_INVALID` for what is not an object, and for one that has an unknown option. */
function optionsObject(subject: string, given: unknown, known: readonly string[]): Record<string, unknown> {
	if (given === undefined) return {};
	if (typeof given !== 'object' || given === null || Array.isArray(given)) {
		throw new ShardctlError('OPTIONS_INVALID', `the options of ${subject} must be an object, got ${describeValue(given)}`);
	}
	for (const key of Object.keys(given)) {
		if (known.includes(key)) continue;
		const meant = nearestName(key, known);
		const hint = meant ? `; did you mean "${meant}"?` : `; its options are ${known.join(', ')}`;
		throw new ShardctlError('OPTIONS_INVALID', `${subject} has no option "${key}"${hint}`);
	}
	return given as Record<string, unknown>;
}

function invalid(option: string, wanted: string, got: unknown): ShardctlError {
	return new ShardctlError('OPTIONS_INVALID', `${option} must be ${wanted}, got ${describeValue(got)}`);
}

function isWholeNumber(value: unknown, min: number): value is number {
	return Number.isSafeInteger(value) && (value as number) >= min;
}

function isDuration(value: unknown): boolean {
	return typeof value === 'number' && value >= 0;
}

/** By its shape: a signal may come from another realm or from a polyfill. */
function isSignal(value: unknown): value is AbortSignal {
	return (
		typeof (value as AbortSignal | null)?.aborted === 'boolean' && typeof (value as AbortSignal).addEventListener === 'function'
	);
}
