// The scripts of the snapshot store. With a guard, each first compares session, epoch and engine as every write of an owner does.
import type { RedisScript } from '../redis/redis-port.js';
import { ownershipScript, redisSources, refuseOtherEngine, refuseOtherOwner, type ScriptSources } from '../scripts/preamble.js';

/**
 * KEYS: 1 to 5 of the ownership scripts, 6 index. ARGV: 1 to 5 of the ownership scripts, 6 node, 7 session, 8 epoch, 9 fence, 10 prefix of
 * the content; the script's own follow from ARGV[11].
 */
const fence = `
local INDEX, fence, prefix = KEYS[6], ARGV[9], ARGV[10]
local newest = redis.call('HGET', INDEX, 'fence') or '0'
if #fence < #newest or (#fence == #newest and fence < newest) then return { 'OLDER', newest } end
if fence ~= newest then redis.call('HSET', INDEX, 'fence', fence) end
`;

const claim = `${fence} return { 'OK' }`;

/** One piece of content that nothing refers to yet; it vanishes by itself if its writer does. ARGV: 11 name, 12 version, 13 … pieces. */
const piece = `${fence}
local list = prefix .. ARGV[11] .. ':' .. ARGV[12]
for i = 13, #ARGV do redis.call('RPUSH', list, ARGV[i]) end
redis.call('PEXPIRE', list, 600000)
return { 'OK' }
`;

/** The new content takes the place of the old in one step. ARGV: 11 name, 12 version, 13 number of pieces. */
const switchVersion = `${fence}
local list = prefix .. ARGV[11] .. ':' .. ARGV[12]
local count = redis.call('LLEN', list)
if count ~= tonumber(ARGV[13]) then return { 'INCOMPLETE', tostring(count) } end
redis.call('PERSIST', list)
local old = redis.call('HGET', INDEX, 'n:' .. ARGV[11])
redis.call('HSET', INDEX, 'n:' .. ARGV[11], ARGV[12])
if old and old ~= ARGV[12] then redis.call('UNLINK', prefix .. ARGV[11] .. ':' .. old) end
return { 'OK' }
`;

/** Content that fits into one command. ARGV: 11 name, 12 version, 13 … pieces. */
const put = `${fence}
local list = prefix .. ARGV[11] .. ':' .. ARGV[12]
for i = 13, #ARGV do redis.call('RPUSH', list, ARGV[i]) end
local old = redis.call('HGET', INDEX, 'n:' .. ARGV[11])
redis.call('HSET', INDEX, 'n:' .. ARGV[11], ARGV[12])
if old then redis.call('UNLINK', prefix .. ARGV[11] .. ':' .. old) end
return { 'OK' }
`;

/**
 * ARGV: 11 name, 12 version and 13 length that it follows, 14 data, 15 version where there is nothing yet. Refused with what is stored if
 * that is another: a failover may have lost appends, and a journal with a hole is a state that misses events [gap].
 */
const append = `${fence}
local version = redis.call('HGET', INDEX, 'n:' .. ARGV[11]) or ''
local length = version == '' and 0 or redis.call('LLEN', prefix .. ARGV[11] .. ':' .. version)
if version ~= ARGV[12] or length ~= tonumber(ARGV[13]) then return { 'GAP', version, tostring(length) } end
if version == '' then
  version = ARGV[15]
  redis.call('HSET', INDEX, 'n:' .. ARGV[11], version)
end
redis.call('RPUSH', prefix .. ARGV[11] .. ':' .. version, ARGV[14])
return { 'OK', version }
`;

/** ARGV: 11 name. */
const remove = `${fence}
local version = redis.call('HGET', INDEX, 'n:' .. ARGV[11])
if version then
  redis.call('UNLINK', prefix .. ARGV[11] .. ':' .. version)
  redis.call('HDEL', INDEX, 'n:' .. ARGV[11])
end
return { 'OK' }
`;

export interface SnapshotScripts {
	readonly claim: RedisScript;
	readonly put: RedisScript;
	readonly piece: RedisScript;
	readonly switchVersion: RedisScript;
	readonly append: RedisScript;
	readonly remove: RedisScript;
}

/** @internal */
export function snapshotScripts(guarded: boolean, sources: ScriptSources = redisSources): SnapshotScripts {
	const script = (name: string, lua: string): RedisScript =>
		guarded
			? ownershipScript(
					{
						name,
						lua: `${refuseOtherEngine}\nlocal by, id, epoch = ARGV[6], ARGV[7], tonumber(ARGV[8])\n${refuseOtherOwner}\n${lua}`,
						full: false,
					},
					sources,
				)
			: { name, lua: `#!lua\n${lua}` };
	return {
		claim: script('snapshots.claim', claim),
		put: script('snapshots.put', put),
		piece: script('snapshots.piece', piece),
		switchVersion: script('snapshots.switch', switchVersion),
		append: script('snapshots.append', append),
		remove: script('snapshots.remove', remove),
	};
}
