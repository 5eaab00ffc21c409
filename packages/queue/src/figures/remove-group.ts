// Removes a group that no worker reads for any more: its place in each stream, its subscription, and the events that it gave up.
import { type RedisPort, type RedisScript, redisSources } from '@shardctl/cluster';
import { plural, ShardctlError } from '@shardctl/core';
import type { QueueKeys } from '../wire/keys.js';
import { partitionCount } from '../wire/partitions.js';
import { DeadEvents } from './dead-events.js';
import { QueueFigures } from './queue-figures.js';

/**
 * KEYS: 1 meta, 2 groups, 3 group, then the streams. ARGV: 1 name of the group, 2 channel of changes. Returns `OK`; `UNKNOWN`; or `MEMBERS` and
 * how many workers it has. Where the last group is removed, meta says so: a Redis that has lost its data has no groups either.
 */
const remove: RedisScript = {
	name: 'queue.removeGroup',
	lua: `#!lua flags=allow-oom
${redisSources.time}
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return { 'UNKNOWN' } end
local members = 0
local flat = redis.call('HGETALL', KEYS[3])
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'm:' and tonumber(string.match(flat[i + 1], '^%d+')) > now then members = members + 1 end
end
if members > 0 then return { 'MEMBERS', members } end
-- A stream that is not there is an error.
for i = 4, #KEYS do redis.pcall('XGROUP', 'DESTROY', KEYS[i], ARGV[1]) end
redis.call('DEL', KEYS[3])
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HLEN', KEYS[2]) == 0 then redis.call('HSET', KEYS[1], 'unread', '1') end
redis.call('PUBLISH', ARGV[2], ARGV[1])
return { 'OK' }
`,
};

export interface RemovedGroup {
	/** Events in the queue that it had not handled. */
	unhandled: number;
	/** Events that it had given up. */
	dead: number;
}

/** Rejects with `OPTIONS_INVALID` for a group that is not there, and for one that has workers. */
export async function removeGroup(redis: RedisPort, keys: QueueKeys, group: string): Promise<RemovedGroup> {
	const figures = new QueueFigures(redis, keys);
	const [layout, { groups }] = [await figures.layout(), await figures.look()];
	const partitions = Array.from({ length: layout ? partitionCount(layout) : 0 }, (_, partition) => partition);
	const names = [keys.meta, keys.groups, keys.group(group), ...partitions.map((partition) => keys.events(partition))];
	const [kind, members] = (await redis.script(remove, names, [group, keys.groupsChanged], { isRare: true })) as
		| ['OK' | 'UNKNOWN']
		| ['MEMBERS', number];
	if (kind === 'UNKNOWN') {
		const known = groups.map((each) => each.group);
		const which = known.length === 0 ? 'it has none' : `it has ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`;
		throw new ShardctlError('OPTIONS_INVALID', `the queue has no group "${group}"; ${which}`);
	}
	if (kind === 'MEMBERS') {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`group "${group}" has ${plural(Number(members), 'worker')}: stop them first. One that was killed counts until its lease is over, a few seconds`,
		);
	}
	const dead = await new DeadEvents(redis, keys).dropOf(group);
	return { unhandled: groups.find((each) => each.group === group)?.lag ?? 0, dead };
}
