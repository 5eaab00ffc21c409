// Whether a Redis can carry a cluster. What only its operator can change is refused at the start, in one message, instead of showing itself
// as lost leases later.
import { ShardctlError } from '@shardctl/core';
import type { RedisPort } from './redis-port.js';

/** What an engine says about itself. */
export interface EngineFacts {
	readonly engine: 'redis' | 'valkey';
	readonly version: string;
	readonly role: string;
	readonly maxmemoryPolicy: string;
	/** Sharded over several servers. */
	readonly isCluster: boolean;
	/** It has no data: it watches the servers that do. */
	readonly isSentinel: boolean;
}

/** The lines of INFO as names and values. */
export async function infoOf(redis: RedisPort, sections: readonly string[]): Promise<Map<string, string>> {
	const answers = await redis.batch(sections.map((section) => ['INFO', section]));
	const lines = (answers as Buffer[]).flatMap((text) => text.toString().split('\r\n'));
	return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Reads what the engine is. Needs the right to run INFO. */
export async function engineFacts(redis: RedisPort): Promise<EngineFacts> {
	const facts = await infoOf(redis, ['server', 'memory', 'replication', 'cluster']);
	const valkey = facts.get('valkey_version');
	return {
		engine: valkey === undefined ? 'redis' : 'valkey',
		version: valkey ?? facts.get('redis_version') ?? '0',
		role: facts.get('role') ?? 'unknown',
		maxmemoryPolicy: facts.get('maxmemory_policy') ?? 'unknown',
		isCluster: facts.get('cluster_enabled') === '1',
		isSentinel: facts.get('redis_mode') === 'sentinel' || facts.get('server_mode') === 'sentinel',
	};
}

/** What is wrong with an engine, each with what to do; empty where nothing is. */
export function engineProblems({ engine, version, role, maxmemoryPolicy, isCluster, isSentinel }: EngineFacts): string[] {
	const problems: string[] = [];
	if (isSentinel) {
		return [
			'it is a Sentinel, and addresses of Sentinels are not followed: use an address that always leads to the master, such as a ' +
				'host name or a proxy that follows the failover',
		];
	}
	// Valkey began with 7.2.
	if (engine === 'redis' && Number.parseInt(version, 10) < 7) {
		problems.push(`it is Redis ${version}, and 7.0 is the oldest that works: update it, or use Valkey`);
	}
	if (role !== 'master') problems.push(`it is a replica (role ${role}), which refuses writes: use the address of the master`);
	if (maxmemoryPolicy !== 'noeviction') {
		problems.push(
			`it may delete keys when its memory is full (maxmemory-policy ${maxmemoryPolicy}): set maxmemory-policy to noeviction, or use ` +
				'another Redis than the one of a cache',
		);
	}
	if (isCluster)
		problems.push(
			'it is a Redis Cluster, whose scripts may use the keys of one slot only: use a single Redis, with or without replicas',
		);
	return problems;
}

/**
 * Rejects with `REDIS_UNSUITABLE`, which lists every problem.
 *
 * @param purpose What it is to carry.
 */
export async function requireSuitableEngine(redis: RedisPort, purpose = 'a cluster'): Promise<EngineFacts> {
	const facts = await engineFacts(redis).catch((error: unknown) => {
		throw withRights(error, purpose);
	});
	const problems = engineProblems(facts);
	if (problems.length === 0) return facts;
	throw new ShardctlError('REDIS_UNSUITABLE', `this Redis cannot carry ${purpose}: ${problems.join('; ')}`, {
		details: { ...facts, problems },
	});
}

/** A user that may not even ask what the engine is. */
function withRights(error: unknown, purpose: string): unknown {
	if (!ShardctlError.is(error) || error.details.reply !== 'NOPERM') return error;
	const rights = "~shardctl:* '&shardctl:*' +@all -@dangerous +info";
	return new ShardctlError(
		'REDIS_UNSUITABLE',
		`the user of this Redis may not do what ${purpose} needs (${error.message}): give it these rights: ACL SETUSER USER ${rights}`,
		{ cause: error },
	);
}
