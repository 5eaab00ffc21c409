// The marks of effects that must happen once. They are small and expire, so a full Redis takes them too: else each event whose handler sets one
// would fail there until it was given up.
import type { RedisScript } from '@shardctl/cluster';

/** KEYS: 1 mark. ARGV: 1 how long it is kept, in ms. Returns what was known of the effect before: `new`, `begun` or `done`. */
const begin = `
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], 'begun', 'PX', ARGV[1])
return 'new'
`;

/** KEYS and ARGV as above. */
const done = `
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[1])
return 1
`;

export function effectScripts(): { readonly begin: RedisScript; readonly done: RedisScript } {
	const script = (name: string, lua: string) => ({ name: `queue.effect.${name}`, lua: `#!lua flags=allow-oom\n${lua}` });
	return { begin: script('begin', begin), done: script('done', done) };
}
