// Everything about an engine that decides how well it carries a cluster: for a person who is about to start one. Changes nothing but a key
// of its own, which it removes.
import { type Clock, ShardctlError } from '@shardctl/core';
import { type EngineFacts, engineFacts, infoOf } from './engine-check.js';
import type { ClusterKeys } from './keys.js';
import type { RedisPort } from './redis-port.js';

export interface EngineReport extends EngineFacts {
	/** The shortest of a few. */
	readonly roundTripMs: number;
	/** Of the clock of Redis against the clock here. */
	readonly clockAheadMs: number;
	readonly usedBytes: number;
	/** 0 without a limit. */
	readonly maxBytes: number;
	readonly appendOnly: boolean;
	/** The last attempt to write its files failed. */
	readonly cannotSave: boolean;
	readonly replicas: number;
	/** `min-replicas-to-write` is set. */
	readonly boundsReplicas: boolean;
	/** `min-replicas-max-lag`; undefined where the user may not read it. */
	readonly maxLagMs: number | undefined;
	/** Why Redis refuses what a cluster does, in its own words; undefined where it refuses nothing. */
	readonly refusal: string | undefined;
}

const probe = {
	name: 'probe',
	lua: `#!lua flags=allow-oom
redis.call('TIME')
redis.call('INFO', 'server')
redis.call('HSET', KEYS[1], 'probe', '1')
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[1], 'probe')
return { 'OK' }`,
};

/** Rejects as {@link engineFacts} does. */
export async function engineReport(redis: RedisPort, keys: ClusterKeys, clock: Clock): Promise<EngineReport> {
	const facts = await engineFacts(redis);
	const info = await infoOf(redis, ['memory', 'persistence', 'replication']);
	const times = [];
	for (let round = 0; round < 5; round++) {
		const sent = clock.monotonic();
		const [time] = (await redis.batch([['TIME']])) as [Buffer[]];
		const roundTripMs = clock.monotonic() - sent;
		const redisNow = Number(time[0]) * 1000 + Number(time[1]) / 1000;
		times.push({ roundTripMs, clockAheadMs: redisNow - (clock.now() - roundTripMs / 2) });
	}
	const [best] = times.sort((a, b) => a.roundTripMs - b.roundTripMs) as [(typeof times)[number]];
	return {
		...facts,
		...best,
		usedBytes: Number(info.get('used_memory') ?? 0),
		maxBytes: Number(info.get('maxmemory') ?? 0),
		appendOnly: info.get('aof_enabled') === '1',
		cannotSave: [info.get('aof_last_write_status'), info.get('rdb_last_bgsave_status')].includes('err'),
		replicas: Number(info.get('connected_slaves') ?? 0),
		boundsReplicas: info.has('min_slaves_good_slaves'),
		maxLagMs: await maxLagMs(redis),
		refusal: await refusal(redis, keys),
	};
}

async function maxLagMs(redis: RedisPort): Promise<number | undefined> {
	try {
		const [answer] = (await redis.batch([['CONFIG', 'GET', 'min-replicas-max-lag']])) as [Buffer[]];
		return answer[1] && Number(answer[1].toString()) * 1000;
	} catch {
		// The right is one of those that a cluster does not need.
		return undefined;
	}
}

async function refusal(redis: RedisPort, keys: ClusterKeys): Promise<string | undefined> {
	try {
		await redis.script(probe, [`${keys.engine}:probe`], [keys.inbox('probe')]);
		const unsubscribe = await redis.subscribe(keys.inbox('probe'), () => {});
		await unsubscribe();
		return undefined;
	} catch (error) {
		if (ShardctlError.is(error) && error.code === 'REDIS_REFUSED') return error.message;
		throw error;
	}
}
