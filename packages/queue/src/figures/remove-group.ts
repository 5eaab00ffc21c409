// Removes a group that no worker reads for any more: its place in each stream, its subscription, and the events that it gave up. What is
// left of one whose removal was interrupted is removed by the next.
import { type RedisPort, type RedisScript, redisSources } from '@shardctl/cluster';
import { plural, ShardctlError } from '@shardctl/core';
import type { QueueKeys } from '../wire/keys.js';
import { partitionCount } from '../wire/partitions.js';
import { DeadEvents } from './dead-events.js';
import { QueueFigures } from './queue-figures.js';

/**
 * KEYS: 1 meta, 2 groups, 3 group, then the streams. ARGV: 1 name of the group, 2 channel of changes. Returns `OK`; `NOTHING`, where nothing
 * of it is there; or `MEMBERS` and how many workers it has. Where the last group is removed, meta says so: a Redis that has lost its data has no
 * groups either. The field `removed` is for a worker that was paused: that its group is not there could also mean that Redis has lost it.
 */
const remove: RedisScript = {
	name: 'queue.removeGroup',
	lua: `#!lua flags=allow-oom
${redisSources.time}
local members, found = 0, redis.call('HEXISTS', KEYS[2], ARGV[1])
local flat = redis.call('HGETALL', KEYS[3])
for i = 1, #flat, 2 do
  if flat[i] ~= 'removed' then found = found + 1 end
  if string.sub(flat[i], 1, 2) == 'm:' and tonumber(string.match(flat[i + 1], '^%d+')) > now then members = members + 1 end
end
if members > 0 then return { 'MEMBERS', members } end
for i = 4, #KEYS do
  -- A stream that is not there is an error.
  if redis.pcall('XGROUP', 'DESTROY', KEYS[i], ARGV[1]) == 1 then found = found + 1 end
end
if found == 0 then return { 'NOTHING' } end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'removed', string.format('%.0f', now))
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

/** Rejects with `OPTIONS_INVALID` for a group of which nothing is there, and for one that has workers. */
export async function removeGroup(
	redis: Pick<RedisPort, 'batch' | 'script'>,
	keys: QueueKeys,
	group: string,
): Promise<RemovedGroup> {
	const figures = new QueueFigures(redis, keys);
	const [layout, { groups }] = [await figures.layout(), await figures.look()];
	const partitions = Array.from({ length: layout ? partitionCount(layout) : 0 }, (_, partition) => partition);
	const names = [keys.meta, keys.groups, keys.group(group), ...partitions.map((partition) => keys.events(partition))];
	const [kind, members] = (await redis.script(remove, names, [group, keys.groupsChanged], { isRare: true })) as
		| ['OK' | 'NOTHING']
		| ['MEMBERS', number];
	if (kind === 'MEMBERS') {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`group "${group}" has ${plural(Number(members), 'worker')}: stop them first. One that was killed counts until its lease is over, a few seconds`,
		);
	}
	const dead = await new DeadEvents(redis, keys).dropOf(group);
	if (kind === 'NOTHING' && dead === 0) {
		const known = groups.map((each) => each.group);
		const which = known.length === 0 ? 'it has none' : `it has ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`;
		throw new ShardctlError('OPTIONS_INVALID', `the queue has no group "${group}"; ${which}`);
	}
	return { unhandled: groups.find((each) => each.group === group)?.lag ?? 0, dead };
}
