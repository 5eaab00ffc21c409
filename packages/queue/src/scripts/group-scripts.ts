// What a group of workers does in Redis: who owns which partition, and the reads and acknowledgements of an owner. Each script is one atomic
// step. An owner has an epoch for each partition, and every script that is an owner's compares it.
import { type RedisScript, redisSources, type ScriptSources } from '@shardctl/cluster';

/**
 * A group subscribes. It exists from here on, and misses no event that it subscribes to, whether it has workers or not.
 *
 * Workers of two versions may want different events for a while, and each subscribes every few seconds: the newest of those that live
 * decides. The field `subscribed` of the group has when it came, and its name.
 *
 * A worker that was paused may come back to a group that was removed meanwhile: its field `removed` says so. It is a new group then.
 *
 * KEYS: 1 meta, 2 groups, 3 group. ARGV: 1 group, 2 what it subscribes to, 3 prefix of the streams, 4 channel of changes,
 * 5 where a group that is not there begins: `$`, or `0` where it was there before, 6 prefix of the records, 7 member (`-`: not named),
 * 8 what the first call of the member returned as the time, `0` in the first call.
 * Returns `OK`, shards, partitions of each, and where the member is named the time, and `REMOVED` where the group was removed since its call
 * before; or `NOTHING`, before anything has written to the queue.
 */
const subscribe = `
local divided = redis.call('HMGET', KEYS[1], 'shards', 'perShard')
-- Nothing is written for a group before it has a place in each stream.
if not divided[1] then return { 'NOTHING' } end
local member, came = ARGV[7] or '-', tonumber(ARGV[8] or '0')
local since, newest = string.match(redis.call('HGET', KEYS[3], 'subscribed') or '0 -', '^(%d+) (%S+)$')
since = tonumber(since)
-- The clock may have been set back.
if came == 0 and ARGV[5] == '$' then came = math.max(now, since + 1) end
local known = redis.call('HGET', KEYS[2], ARGV[1])
-- It may be about to take its first turn.
local isGone = newest ~= '-' and newest ~= member and math.abs(now - since) > 15000 and redis.call('HEXISTS', KEYS[3], 'm:' .. newest) == 0
if not known or came > since or isGone then
  redis.call('HSET', KEYS[3], 'subscribed', string.format('%.0f ', came) .. member)
  if known ~= ARGV[2] then
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
    redis.call('HDEL', KEYS[1], 'unread')
    redis.call('PUBLISH', ARGV[4], ARGV[1])
  end
end
local wasRemoved = redis.call('HDEL', KEYS[3], 'removed') == 1
local begins = wasRemoved and '$' or ARGV[5]
local perShard = tonumber(divided[2])
for partition = 0, tonumber(divided[1]) * perShard - 1 do
  -- It may exist: BUSYGROUP.
  local created = redis.pcall('XGROUP', 'CREATE', ARGV[3] .. partition, ARGV[1], begins, 'MKSTREAM')
  if not created.err and begins == '$' then
    -- What is removed before its first read counts as missed.
    local written = redis.call('HGET', ARGV[6] .. math.floor(partition / perShard), 'n:' .. partition) or '0'
    redis.call('HSET', KEYS[3], 'n:' .. partition, written)
  end
end
local answer = { 'OK', divided[1], divided[2] }
if ARGV[7] then answer[4] = string.format('%.0f', came) end
if ARGV[7] and wasRemoved and ARGV[5] ~= '$' then answer[5] = 'REMOVED' end
return answer
`;

/**
 * The turn of one worker: its lease is renewed, and it takes or gives partitions until each worker has its share.
 *
 * KEYS: 1 group, 2 meta. ARGV: 1 member, 2 lease in ms, 3 margin behind a deadline in ms, 4 longest time between two turns of any member,
 * 5 partitions, 6 `stay`, `drain` (it wants none any more) or `leave`, 7 channel of changes; then for each partition that it has: partition, epoch, `keep` or
 * `free`.
 *
 * Fields of the group: `run` and `time` of the last turn, `quiet` until when nothing is given to anyone, `m:<member>` = deadline, when it
 * joined, whether it drains; `p:<partition>` = owner (`-`: none) and the last epoch. `missed`, `redelivered`, `expired` and `dead` count events,
 * for people.
 *
 * Returns time, members, partitions it has too many of, ms of the quiet period, [partition, epoch, …] that are its own.
 */
const turn = `
local GROUP, member = KEYS[1], ARGV[1]
local leaseMs, marginMs, gapMs, partitions = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local function text(number) return string.format('%.0f', number) end

local members, owners = {}, {}
local run, lastTime, quiet = nil, 0, 0
local flat = redis.call('HGETALL', GROUP)
for i = 1, #flat, 2 do
  local field, value = flat[i], flat[i + 1]
  local kind = string.sub(field, 1, 2)
  if kind == 'm:' then
    local deadline, joined, draining = string.match(value, '^(%d+) (%d+) (%d)$')
    members[string.sub(field, 3)] = { deadline = tonumber(deadline), joined = tonumber(joined), draining = draining == '1' }
  elseif kind == 'p:' then
    local owner, epoch = string.match(value, '^(%S+) (%d+)$')
    owners[tonumber(string.sub(field, 3))] = { owner = owner, epoch = tonumber(epoch) }
  elseif field == 'run' then run = value
  elseif field == 'time' then lastTime = tonumber(value)
  elseif field == 'quiet' then quiet = tonumber(value) end
end
local function write(partition, owner, epoch)
  owners[partition] = { owner = owner, epoch = epoch }
  redis.call('HSET', GROUP, 'p:' .. partition, owner .. ' ' .. text(epoch))
end
local isChanged = false

if run ~= runId then
  -- Another Redis, or the group is new. Workers of before may act until their leases end: they say what they have until then. A group is
  -- new for certain where this Redis has had the queue for longer than a lease.
  local known = redis.call('HMGET', KEYS[2], 'run', 'since')
  local since = known[1] == runId and tonumber(known[2]) or now
  quiet = (run and now or since) + leaseMs
  run = runId
end
if lastTime > 0 and (now < lastTime or now - lastTime > gapMs) then
  -- The clock may have been set: no lease ends by that. It may also be that the workers were late, so some time is counted: else the lease of
  -- a worker that died would not end while the others are late at each turn.
  local step = now - lastTime - gapMs
  for name, each in pairs(members) do
    each.deadline = math.min(now < lastTime and now + leaseMs or each.deadline + step, now + leaseMs)
    redis.call('HSET', GROUP, 'm:' .. name, text(each.deadline) .. ' ' .. text(each.joined) .. (each.draining and ' 1' or ' 0'))
  end
end
if quiet > now + leaseMs then quiet = now + leaseMs end
local isQuiet = now < quiet

-- Members whose lease is over are gone.
for name, each in pairs(members) do
  if name ~= member and now >= each.deadline + marginMs and not isQuiet then
    members[name] = nil
    redis.call('HDEL', GROUP, 'm:' .. name)
    isChanged = true
  end
end
local mode = ARGV[6]
local self = members[member]
if mode == 'leave' then
  members[member] = nil
  redis.call('HDEL', GROUP, 'm:' .. member)
  isChanged = true
else
  if not self or self.draining ~= (mode == 'drain') then isChanged = true end
  self = { deadline = now + leaseMs, joined = self and self.joined or now, draining = mode == 'drain' }
  members[member] = self
  redis.call('HSET', GROUP, 'm:' .. member, text(self.deadline) .. ' ' .. text(self.joined) .. (self.draining and ' 1' or ' 0'))
end

-- What it has, and what it gives back. In the quiet period Redis believes what is newer than what it has.
for i = 8, #ARGV, 3 do
  local partition, epoch, wish = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), ARGV[i + 2]
  local known = owners[partition]
  if isQuiet and partition < partitions and (not known or known.epoch < epoch) then
    write(partition, member, epoch)
    known = owners[partition]
  end
  if wish == 'free' and known and known.owner == member and known.epoch == epoch then
    write(partition, '-', epoch)
    isChanged = true
  end
end

-- The share of each: all have the same number, or one more. Those that have more already keep it.
local count, ranks = {}, {}
for name, each in pairs(members) do
  if not each.draining then
    count[name] = 0
    ranks[#ranks + 1] = name
  end
end
for partition = 0, partitions - 1 do
  local known = owners[partition]
  if known and count[known.owner] then count[known.owner] = count[known.owner] + 1 end
end
table.sort(ranks, function(a, b)
  if count[a] ~= count[b] then return count[a] > count[b] end
  if members[a].joined ~= members[b].joined then return members[a].joined < members[b].joined end
  return a < b
end)
local share = 0
for i, name in ipairs(ranks) do
  if name == member then share = math.floor(partitions / #ranks) + (i <= partitions % #ranks and 1 or 0) end
end

local own, have = {}, 0
for partition = 0, partitions - 1 do
  local known = owners[partition]
  local isFree = not known or known.owner == '-' or not members[known.owner]
  if isFree and not isQuiet and (count[member] or 0) < share then
    count[member] = count[member] + 1
    write(partition, member, math.max(known and known.epoch + 1 or 0, now))
    known = owners[partition]
  end
  if known and known.owner == member then
    own[#own + 1] = text(partition)
    own[#own + 1] = text(known.epoch)
    have = have + 1
  end
end
redis.call('HSET', GROUP, 'run', run, 'time', text(now), 'quiet', text(quiet))
if isChanged then redis.call('PUBLISH', ARGV[7], member) end
return { text(now), text(#ranks), text(math.max(0, have - share)), text(math.max(0, quiet - now)), own }
`;

const ownerCheck = `
local GROUP, group, member = KEYS[1], ARGV[1], ARGV[2]
local function isOwner(partition, epoch) return redis.call('HGET', GROUP, 'p:' .. partition) == member .. ' ' .. epoch end
`;

/**
 * The next events of partitions, in order.
 *
 * KEYS: 1 group, then the streams. ARGV: 1 name of the group, 2 member, 3 events of a stream at most; then for each stream: partition, epoch;
 * then, as far as they are known, for each stream the number of the last event that the owner has read, or nothing: a Redis that has lost its
 * data, or its last writes, counts from there.
 * Returns for each stream: `FENCED`; or `OK`, how many events the group has missed, because they were removed before it read them, and the
 * entries: none of a group that was removed, before a worker subscribes again.
 */
const read = `${ownerCheck}
-- Each entry begins with its number.
local function numberOf(entry) return string.match(entry[2][2], '^%d+') end
local answers = {}
for i = 2, #KEYS do
  local partition, epoch = ARGV[2 * i], ARGV[2 * i + 1]
  if not isOwner(partition, epoch) then answers[i - 1] = { 'FENCED' } else
    local reply = redis.pcall('XREADGROUP', 'GROUP', group, member, 'COUNT', ARGV[3], 'STREAMS', KEYS[i], '>')
    if reply and reply.err and redis.call('HEXISTS', GROUP, 'removed') == 1 then reply = nil end
    if reply and reply.err then
      -- NOGROUP: Redis has lost it. What is there may not have been read.
      redis.call('XGROUP', 'CREATE', KEYS[i], group, '0', 'MKSTREAM')
      reply = redis.call('XREADGROUP', 'GROUP', group, member, 'COUNT', ARGV[3], 'STREAMS', KEYS[i], '>')
    end
    local entries, missed = reply and reply[1][2] or {}, 0
    if #entries > 0 then
      -- Each may be the later: Redis has lost its last writes, or the owner is new.
      local kept, own = tonumber(redis.call('HGET', GROUP, 'n:' .. partition)), tonumber(ARGV[2 * #KEYS + i])
      local before = kept and own and math.max(kept, own) or kept or own
      if before then missed = math.max(0, tonumber(numberOf(entries[1])) - before - 1) end
      if missed > 0 then redis.call('HINCRBY', GROUP, 'missed', missed) end
      redis.call('HSET', GROUP, 'n:' .. partition, numberOf(entries[#entries]))
    end
    answers[i - 1] = { 'OK', missed, entries }
  end
end
return answers
`;

/**
 * What was delivered to an owner before, of one partition, and not acknowledged: it is this owner's now. In order. It does not count as a
 * delivery before {@link begin}.
 *
 * KEYS: 1 group, 2 stream. ARGV: 1 name of the group, 2 member, 3 at most, 4 partition, 5 epoch, 6 id behind which it begins (`-`: at the first).
 * Returns `FENCED`; or `OK`, how many were removed before they were handled, entries, [id, deliveries, …] of those that were looked at, the number
 * of the last event that the group has read (nil: it is not known).
 */
const claimPending = `${ownerCheck}
if not isOwner(ARGV[4], ARGV[5]) then return { 'FENCED' } end
local from = ARGV[6] == '-' and '-' or '(' .. ARGV[6]
local pending = redis.pcall('XPENDING', KEYS[2], group, from, '+', ARGV[3])
local last = redis.call('HGET', GROUP, 'n:' .. ARGV[4])
if pending.err or #pending == 0 then return { 'OK', 0, {}, {}, last } end
local ids, deliveries = {}, {}
for _, each in ipairs(pending) do
  ids[#ids + 1] = each[1]
  deliveries[#deliveries + 1] = each[1]
  deliveries[#deliveries + 1] = each[4]
end
-- Those that were removed from the stream are removed from the list as well.
local entries = {}
ids[#ids + 1] = 'JUSTID'
local claimed = redis.call('XCLAIM', KEYS[2], group, member, 0, unpack(ids))
for _, id in ipairs(claimed) do
  entries[#entries + 1] = redis.call('XRANGE', KEYS[2], id, id)[1]
end
local missed = #pending - #entries
if missed > 0 then redis.call('HINCRBY', GROUP, 'missed', missed) end
return { 'OK', missed, entries, deliveries, last }
`;

/**
 * An event that was delivered before is delivered again now. What is in hand and has not begun is not counted with it when the worker ends.
 *
 * KEYS: 1 group, 2 stream. ARGV: 1 name of the group, 2 member, 3 partition, 4 epoch, 5 id, 6 how often it is delivered with this time.
 * Returns 1, or 0 where the partition is not the member's any more or the event is not there.
 */
const begin = `${ownerCheck}
if not isOwner(ARGV[3], ARGV[4]) then return 0 end
local begun = redis.call('XCLAIM', KEYS[2], group, member, 0, ARGV[5], 'RETRYCOUNT', ARGV[6], 'JUSTID')
redis.call('HINCRBY', GROUP, 'redelivered', #begun)
return #begun
`;

/**
 * Acknowledges events of partitions.
 *
 * KEYS: 1 group, then the streams. ARGV: 1 name of the group, 2 member; then for each stream: partition, epoch, number of ids, ids.
 * Returns the partitions that are not the member's any more; their events will be delivered to their new owner.
 */
const acknowledge = `${ownerCheck}
local fenced, at = {}, 3
for i = 2, #KEYS do
  local partition, epoch, ids = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  at = at + 3
  if isOwner(partition, epoch) then
    for from = at, at + ids - 1, 1000 do
      redis.call('XACK', KEYS[i], group, unpack(ARGV, from, math.min(from + 999, at + ids - 1)))
    end
  else fenced[#fenced + 1] = partition end
  at = at + ids
end
return fenced
`;

/**
 * Gives an event up: it is acknowledged, and kept with the reason.
 *
 * KEYS: 1 group, 2 stream, 3 dead events. ARGV: 1 name of the group, 2 member, 3 partition, 4 epoch, 5 id, 6 dead events that are kept, 7 …
 * fields and values. Returns 1, or 0 where the partition is not the member's any more.
 */
const bury = `${ownerCheck}
if not isOwner(ARGV[3], ARGV[4]) then return 0 end
local surplus = redis.call('XLEN', KEYS[3]) + 1 - tonumber(ARGV[6])
if surplus > 0 then
  -- The oldest make room, and are counted no more. Usually that is one; more of them leave in several steps.
  local prefix = string.sub(GROUP, 1, #GROUP - #group)
  for _, old in ipairs(redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', math.min(surplus, 100))) do
    for i = 1, #old[2], 2 do
      local of = old[2][i] == 'group' and prefix .. old[2][i + 1]
      if of and redis.call('HEXISTS', of, 'dead') == 1 then redis.call('HINCRBY', of, 'dead', -1) end
    end
    redis.call('XDEL', KEYS[3], old[1])
  end
end
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 7))
redis.call('XACK', KEYS[2], group, ARGV[5])
redis.call('HINCRBY', GROUP, 'dead', 1)
return 1
`;

export interface GroupScripts {
	readonly subscribe: RedisScript;
	readonly turn: RedisScript;
	readonly read: RedisScript;
	readonly claimPending: RedisScript;
	readonly begin: RedisScript;
	readonly acknowledge: RedisScript;
	readonly bury: RedisScript;
}

/** @internal */
export function groupScripts(sources: ScriptSources = redisSources): GroupScripts {
	// A full Redis must cost no lease and no acknowledgement: both lead to events being handled again.
	const script = (name: string, lua: string) => ({ name: `queue.${name}`, lua: `#!lua flags=allow-oom\n${lua}` });
	return {
		subscribe: script('subscribe', `${sources.time}\n${subscribe}`),
		turn: script('turn', `${sources.time}\n${sources.runId}\n${turn}`),
		read: script('read', read),
		claimPending: script('claimPending', claimPending),
		begin: script('begin', begin),
		acknowledge: script('acknowledge', acknowledge),
		bury: script('bury', bury),
	};
}
