// What the writer of a shard's events does in Redis. Each script is one atomic step: the record of the shard says which events are in the
// streams, and changes in the same step as the streams do.
import { type RedisScript, redisSources, type ScriptSources } from '@shardctl/cluster';

/**
 * A process becomes the writer of a shard; the one before it is refused from here on.
 *
 * KEYS: 1 record, 2 meta. ARGV: 1 epoch (0: a new one is made; else the lease of a node), 2 shards, 3 partitions of each; then for each
 * partition that it has written to before: partition, events written. Where Redis has lost some of them, the numbers continue behind what is
 * lost, so that workers count it as missed.
 * Returns `OK`, epoch, session, its last event, how many events Redis has lost (-1: the whole record); `FENCED` and the epoch of the writer,
 * where that is higher; or `LAYOUT`, shards and partitions, where the events are divided in another way.
 */
const claim = `
local divided = redis.call('HMGET', KEYS[2], 'run', 'shards', 'perShard')
if divided[2] and (divided[2] ~= ARGV[2] or divided[3] ~= ARGV[3]) then return { 'LAYOUT', divided[2], divided[3] } end
if divided[1] ~= runId or not divided[2] then
  redis.call('HSET', KEYS[2], 'run', runId, 'since', string.format('%.0f', now), 'shards', ARGV[2], 'perShard', ARGV[3])
end
local known = redis.call('HMGET', KEYS[1], 'epoch', 'session', 'last')
local epoch, stored = tonumber(ARGV[1]), tonumber(known[1] or '0')
-- Made of time, so that it grows also where Redis has lost the last one.
if epoch == 0 then epoch = math.max(stored + 1, now) end
if epoch < stored then return { 'FENCED', string.format('%.0f', stored) } end
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch))
local lost = 0
for i = 4, #ARGV, 2 do
  local missing = tonumber(ARGV[i + 1]) - tonumber(redis.call('HGET', KEYS[1], 'n:' .. ARGV[i]) or '0')
  if missing > 0 then
    redis.call('HSET', KEYS[1], 'n:' .. ARGV[i], ARGV[i + 1])
    lost = lost + missing
  end
end
if not known[1] then lost = -1 end
return { 'OK', string.format('%.0f', epoch), known[2] or '', known[3] or '0', lost }
`;

/**
 * Appends events of one session of a shard, each once.
 *
 * KEYS: 1 record, then the streams. ARGV: 1 epoch, 2 session, 3 the event of that session that these follow (0: any), 4 events that a
 * stream keeps at most, 5 channel of the bell; then for each event: number of the stream (1 …), sequence number,
 * what an entry says of it behind its number, data.
 *
 * The record has `session` and `last` for the session that is written now, and `before` and `beforeLast` for the one before it, of which
 * Discord may repeat events. `n:<partition>` counts the events of a partition; each entry carries its number, so that a reader sees a gap.
 *
 * Returns `OK`, the last event that is in the streams, how many of these were new, and for each stream how many events it has had (0: these
 * include none of it that is new); `FENCED` and the epoch of the writer (0: Redis has none); or `GAP` and the last event: Redis has lost
 * some, or has not received them.
 */
const append = `
local RECORD, epoch, session, follows, keep = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local known = redis.call('HMGET', RECORD, 'epoch', 'session', 'last', 'before', 'beforeLast')
if known[1] ~= epoch then return { 'FENCED', known[1] or '0' } end
local isBefore = known[4] == session
local last = 0
if known[2] == session then last = tonumber(known[3]) elseif isBefore then last = tonumber(known[5]) end
if last < follows then return { 'GAP', string.format('%.0f', last) } end

local counts, touched, partitions = {}, {}, {}
local new = 0
local call = redis.call
for i = 6, #ARGV, 4 do
  local s = tonumber(ARGV[i + 1])
  if s > last then
    local stream = tonumber(ARGV[i])
    local name = KEYS[stream + 1]
    local count = counts[stream]
    if count then
      count = count + 1
      call('XADD', name, '*', 'e', count .. ' ' .. ARGV[i + 2], 'd', ARGV[i + 3])
    else
      local partition = string.match(name, '(%d+)$')
      partitions[stream] = partition
      touched[#touched + 1] = partition
      count = tonumber(call('HGET', RECORD, 'n:' .. partition) or '0') + 1
      call('XADD', name, 'MAXLEN', '~', keep, '*', 'e', string.format('%.0f ', count) .. ARGV[i + 2], 'd', ARGV[i + 3])
    end
    counts[stream] = count
    last = s
    new = new + 1
  end
end
local lastText = string.format('%.0f', last)
if new > 0 then
  local changes = {}
  for stream, count in pairs(counts) do
    changes[#changes + 1] = 'n:' .. partitions[stream]
    changes[#changes + 1] = string.format('%.0f', count)
  end
  if isBefore then
    changes[#changes + 1] = 'beforeLast'
    changes[#changes + 1] = lastText
  else
    if known[2] ~= session then
      for _, change in ipairs({ 'before', known[2] or '', 'beforeLast', known[3] or '0', 'session', session }) do changes[#changes + 1] = change end
    end
    changes[#changes + 1] = 'last'
    changes[#changes + 1] = lastText
  end
  redis.call('HSET', RECORD, unpack(changes))
  redis.call('PUBLISH', ARGV[5], table.concat(touched, ','))
end
local had = {}
for stream = 1, #KEYS - 1 do had[stream] = counts[stream] or 0 end
return { 'OK', lastText, new, had }
`;

/** Removes events that are older than allowed. KEYS: streams. ARGV: 1 age in ms. */
const trim = `
local oldest = string.format('%.0f-0', math.max(0, now - tonumber(ARGV[1])))
local removed = 0
for _, name in ipairs(KEYS) do removed = removed + redis.call('XTRIM', name, 'MINID', '~', oldest) end
return removed
`;

/**
 * Makes room in a full Redis: removes what every group has handled. KEYS: streams. Returns how many events were removed.
 */
const removeHandled = `
local function isBefore(a, b)
  local aMs, aSeq = string.match(a, '^(%d+)-(%d+)$')
  local bMs, bSeq = string.match(b, '^(%d+)-(%d+)$')
  if aMs ~= bMs then return tonumber(aMs) < tonumber(bMs) end
  return tonumber(aSeq) < tonumber(bSeq)
end
local removed = 0
for _, name in ipairs(KEYS) do
  -- A stream that is not there is an error.
  local groups = redis.pcall('XINFO', 'GROUPS', name)
  local oldest
  for _, group in ipairs(groups) do
    local of = {}
    for i = 1, #group, 2 do of[group[i]] = group[i + 1] end
    local needed = of['last-delivered-id']
    if of.pending > 0 then needed = redis.call('XPENDING', name, of.name)[2] end
    if not oldest or isBefore(needed, oldest) then oldest = needed end
  end
  if oldest then removed = removed + redis.call('XTRIM', name, 'MINID', '~', oldest) end
end
return removed
`;

/**
 * Notes what became of the deferred response to an interaction. Discord refuses one that it has already: a refusal changes nothing then.
 *
 * KEYS: 1 what is known, 2 meta. ARGV: 1 `yes` or `no`, 2 how long it is kept, in ms. Returns 1, or 0 where it was known.
 */
const noteDeferral = `
local known = redis.call('GET', KEYS[1])
if known == 'yes' or known == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HINCRBY', KEYS[2], ARGV[1] == 'yes' and 'deferred' or 'deferFailed', 1)
return 1
`;

export interface ProducerScripts {
	readonly claim: RedisScript;
	readonly append: RedisScript;
	readonly trim: RedisScript;
	readonly removeHandled: RedisScript;
	readonly noteDeferral: RedisScript;
}

/** @internal */
export function producerScripts(sources: ScriptSources = redisSources): ProducerScripts {
	return {
		claim: { name: 'queue.claim', lua: `#!lua\n${sources.time}\n${sources.runId}\n${claim}` },
		append: { name: 'queue.append', lua: `#!lua\n${append}` },
		trim: { name: 'queue.trim', lua: `#!lua flags=allow-oom\n${sources.time}\n${trim}` },
		removeHandled: { name: 'queue.removeHandled', lua: `#!lua flags=allow-oom\n${removeHandled}` },
		noteDeferral: { name: 'queue.noteDeferral', lua: `#!lua flags=allow-oom\n${noteDeferral}` },
	};
}
