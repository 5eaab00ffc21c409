// The scripts that decide who owns a session. Each is one atomic step of the model (test/model/ownership-model.mjs), whose function it
// names; test/conformance.test.ts replays traces of the model against them.
import type { RedisScript } from '../redis/redis-port.js';
import { ownershipScript, redisSources, refuseOtherEngine, refuseOtherOwner, type ScriptSources } from './preamble.js';

/**
 * scriptRenew. ARGV: 6 node, 7 whether the sender has known the identity for the quiet period on its own clock, 8 whether its lease had
 * not ended when it sent, 9 layout, then for each session it holds: id, epoch, hold (0 acts, 1 giving away, 2 waits).
 *
 * Answers: `OK`, identity, ms left of the quiet period, version of the table, whether the node is registered, [session, epoch | `wait` |
 * `none`, …], [node, renewals, …].
 */
const renew = `
local node, ripe, unlapsed = ARGV[6], ARGV[7] == '1', ARGV[8] == '1'
-- Also where the identity is refused: the node lives.
redis.call('HSET', NODES, 'd:' .. node, string.format('%.0f', now + leaseMs))
redis.call('HINCRBY', NODES, 'c:' .. node, 1)
if ARGV[2] ~= identity then return { 'ENGINE', identity } end

-- The quiet period on Redis' clock and on the sender's: a small step of Redis' clock shortens the first [quiet-clock].
local quiet = isQuiet or not ripe
local answers = {}
local function settle(id, epoch, hold, named)
  local s = readSession(id)
  local changed = false
  -- In the quiet period holders announce themselves, and the highest epoch is recorded. After it no claim is accepted [claim-zombie].
  if quiet and isUnsure(s) and epoch > s.epoch then
    s.owner, s.epoch, s.phase, s.target = node, epoch, 'held', '-'
    writeSession(id, s)
    newVersion()
  end
  if quiet and isUnsure(s) then
    if s.owner == node and s.epoch == epoch then
      -- No other node can have taken over from a holder whose lease never ended. Any other waits for the end of the quiet period: one
      -- with a later epoch may not have announced itself yet.
      if unlapsed and hold == 0 then
        s.sure = identity
        writeSession(id, s)
      else return 'wait' end
    else return 'none' end
  elseif not quiet and isUnsure(s) and s.owner == node then
    -- A holder whose lease had ended continues with a new epoch.
    mint(s)
    changed = true
  end
  -- The owner has no answer to its hand-over. It takes back by raising the epoch, so that a delayed hand-over is refused [takeback-asks].
  if hold == 1 and s.owner == node and s.epoch == epoch then
    if quiet then return 'wait' end
    mint(s)
    s.phase, s.target = 'held', '-'
    newVersion()
    changed = true
  end
  if changed then writeSession(id, s) end
  if s.owner == node then return epochText(s.epoch) end
  return 'none'
end

-- The answer names each session that the sender named, so that only those are unmuted that are still its own [unmute] ...
local named = {}
for i = 10, #ARGV, 3 do
  named[ARGV[i]] = true
  answers[#answers + 1] = ARGV[i]
  answers[#answers + 1] = settle(ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]))
end
-- ... and each that the table has given to it since.
local entries = redis.call('HGETALL', TABLE)
for i = 1, #entries, 2 do
  local id = string.match(entries[i], '^s:(.+)$')
  if id and not named[id] and string.sub(entries[i + 1], 1, #node + 1) == node .. ' ' then
    answers[#answers + 1] = id
    answers[#answers + 1] = settle(id, 0, 0)
  end
end
local renewals = {}
local nodes = redis.call('HGETALL', NODES)
for i = 1, #nodes, 2 do
  local other = string.match(nodes[i], '^c:(.+)$')
  if other then
    renewals[#renewals + 1] = other
    renewals[#renewals + 1] = nodes[i + 1]
  end
end
local version = tonumber(redis.call('HGET', TABLE, 'version') or '0')
return { 'OK', identity, math.max(0, quietUntil - now), version, redis.call('HEXISTS', MEMBERS, node), answers, renewals }
`;

/**
 * scriptTake, and the planning of moves: compare and set. ARGV: 6 version that the plan was made from, 7 whether the sender has known
 * the identity for the quiet period, 8 margin in ms behind a deadline, 9 the changes as JSON: `{ op, session, to, from, renewals, entry }`, 10 channel and
 * 11 node: the others hear of a change at once.
 *
 * Answers: `OK`, version, [outcome, epoch, …]; or `STALE`, version. An outcome is `done` or the reason why not.
 */
const apply = `${refuseOtherEngine}
local version = tonumber(redis.call('HGET', TABLE, 'version') or '0')
if tonumber(ARGV[6]) ~= version then return { 'STALE', version } end
local ripe, marginMs = ARGV[7] == '1', tonumber(ARGV[8])
-- The quiet period covers every assignment, of free sessions too: after an empty restart all look free [quiet-free].
local tooEarly = isQuiet or not ripe

local function give(id, s, to)
  mint(s)
  s.owner, s.phase, s.target = to, 'held', '-'
  writeSession(id, s)
  newVersion()
  return 'done', s.epoch
end
local function run(change)
  local id, s = change.session, nil
  if id then s = readSession(id) end
  if change.op == 'assign' then
    if tooEarly then return 'quiet', 0 end
    if s.owner ~= '-' then return 'owned', 0 end
    return give(id, s, change.to)
  elseif change.op == 'take' then
    if tooEarly then return 'quiet', 0 end
    if s.owner == '-' or s.owner ~= change.from then return 'owner', 0 end
    -- The owner's lease is over on this clock, and the taker has seen the lease unchanged on its own [clock-forward-twice].
    local deadline = tonumber(redis.call('HGET', NODES, 'd:' .. s.owner) or '0')
    if now < deadline + marginMs then return 'lease', 0 end
    if tonumber(redis.call('HGET', NODES, 'c:' .. s.owner) or '0') ~= change.renewals then return 'renewed', 0 end
    return give(id, s, change.to)
  elseif change.op == 'move' then
    if isQuiet then return 'quiet', 0 end
    if s.owner ~= change.from then return 'owner', 0 end
    -- A move that is under way may get another target until the hand-over.
    s.phase, s.target = 'moving', change.to
    writeSession(id, s)
    newVersion()
    return 'done', s.epoch
  elseif change.op == 'cancel' then
    if s.owner ~= change.from or s.phase == 'held' then return 'owner', 0 end
    s.phase, s.target = 'held', '-'
    writeSession(id, s)
    newVersion()
    return 'done', s.epoch
  elseif change.op == 'forget' then
    local deadline = tonumber(redis.call('HGET', NODES, 'd:' .. change.node) or '0')
    if isQuiet or now < deadline + marginMs then return 'lease', 0 end
    redis.call('HDEL', NODES, 'd:' .. change.node, 'c:' .. change.node)
    redis.call('HDEL', MEMBERS, change.node)
    newVersion()
    return 'done', 0
  elseif change.op == 'reshard' then
    -- It changes no owner: whoever replaces sessions writes that down as their owner, with its epoch.
    redis.call('HSET', TABLE, 'reshard', change.entry)
    newVersion()
    return 'done', 0
  end
  return 'unknown', 0
end
local outcomes = {}
for _, change in ipairs(cjson.decode(ARGV[9])) do
  local outcome, epoch = run(change)
  outcomes[#outcomes + 1] = outcome
  outcomes[#outcomes + 1] = epochText(epoch)
end
local after = tonumber(redis.call('HGET', TABLE, 'version') or '0')
if after ~= version and ARGV[10] then redis.call('PUBLISH', ARGV[10], ARGV[11]) end
return { 'OK', after, outcomes }
`;

/**
 * The target of a move has everything ready but the connection. ARGV: 6 node, 7 session, 8 epoch that it has read, 9 channel: the owner
 * hears of it at once.
 */
const prepared = `${refuseOtherEngine}
local s = readSession(ARGV[7])
if s.phase ~= 'moving' or s.target ~= ARGV[6] or s.epoch ~= tonumber(ARGV[8]) then return { 'FENCED', s.owner, epochText(s.epoch) } end
s.phase = 'prepared'
writeSession(ARGV[7], s)
newVersion()
if ARGV[9] then redis.call('PUBLISH', ARGV[9], ARGV[6]) end
return { 'OK' }
`;

/**
 * scriptSwitch: the owner hands over to the target of the move. ARGV: 6 node, 7 session, 8 epoch, 9 record or nothing, 10 channel: the target
 * hears of it at once.
 */
const handOver = `${refuseOtherEngine}
local s = readSession(ARGV[7])
if s.owner ~= ARGV[6] or s.epoch ~= tonumber(ARGV[8]) then return { 'FENCED', s.owner, epochText(s.epoch) } end
if s.phase ~= 'prepared' then return { 'NOT_PREPARED' } end
if isQuiet then return { 'QUIET' } end
mint(s)
s.owner, s.phase, s.target = s.target, 'held', '-'
writeSession(ARGV[7], s)
newVersion()
if ARGV[9] and ARGV[9] ~= '' then redis.call('HSET', RECORDS, ARGV[7], ARGV[9]) end
if ARGV[10] then redis.call('PUBLISH', ARGV[10], ARGV[6]) end
return { 'OK', s.owner, epochText(s.epoch) }
`;

/**
 * An owner releases a session. Each session by its epoch and never the node's lease: another process of the node may not have noticed
 * that its manager is gone [node-release]. ARGV: 6 node, 7 session, 8 epoch, 9 record or nothing, 11 channel. Answers `OK`; `FENCED`; or `QUIET`
 * and what is left of the quiet period in ms.
 */
const releaseSession = `
local s = readSession(ARGV[7])
if s.owner ~= ARGV[6] or s.epoch ~= tonumber(ARGV[8]) then return { 'FENCED', s.owner, epochText(s.epoch) } end
if isQuiet then return { 'QUIET', string.format('%.0f', quietUntil - now) } end
s.owner, s.phase, s.target = '-', 'held', '-'
writeSession(ARGV[7], s)
newVersion()
if ARGV[9] and ARGV[9] ~= '' then redis.call('HSET', RECORDS, ARGV[7], ARGV[9]) end
if ARGV[11] then redis.call('PUBLISH', ARGV[11], ARGV[6]) end
return { 'OK' }
`;
const release = `${refuseOtherEngine}${releaseSession}`;

/**
 * A process of a node whose manager is gone releases its session: {@link release} and {@link updateMember} in one step, and all nodes hear of
 * what has changed at once. ARGV: 6 node, 7 session, 8 epoch, 9 nothing, 10 the member as JSON, 11 channel. It is sent again after `QUIET`.
 */
const abandon = `${refuseOtherEngine}
local member = redis.call('HGET', MEMBERS, ARGV[6])
if member and member ~= ARGV[10] then
  redis.call('HSET', MEMBERS, ARGV[6], ARGV[10])
  newVersion()
  redis.call('PUBLISH', ARGV[11], ARGV[6])
end
${releaseSession}`;

/** scriptWrite: what the next owner needs to RESUME. ARGV: 6 node, 7 session, 8 epoch, 9 record. */
const saveRecord = `${refuseOtherEngine}
local by, id, epoch = ARGV[6], ARGV[7], tonumber(ARGV[8])
${refuseOtherOwner}
redis.call('HSET', RECORDS, id, ARGV[9])
return { 'OK' }
`;

/**
 * A node registers. ARGV: 6 node, 7 name, 8 layout, 9 settings that all nodes share, 10 the member as JSON. Answers `OK`; `NAME` and the
 * node that has the name, where its lease is not over; `LAYOUT` or `SETTINGS`, those of the cluster, and a member of it.
 */
const join = `${refuseOtherEngine}
local node, name = ARGV[6], ARGV[7]
local present = redis.call('HMGET', TABLE, 'layout', 'settings')
local members = redis.call('HGETALL', MEMBERS)
-- The settings first: with another protocol, nothing else may mean the same.
if present[2] and present[2] ~= ARGV[9] then return { 'SETTINGS', present[2], members[2] or '{}' } end
if present[1] and present[1] ~= ARGV[8] then return { 'LAYOUT', present[1], members[2] or '{}' } end
for i = 1, #members, 2 do
  if members[i] ~= node and cjson.decode(members[i + 1]).name == name then
    -- A name never inherits a lease [same-name], and two live nodes never share one.
    if now < tonumber(redis.call('HGET', NODES, 'd:' .. members[i]) or '0') then return { 'NAME', members[i], members[i + 1] } end
  end
end
if not present[1] then redis.call('HSET', TABLE, 'layout', ARGV[8], 'settings', ARGV[9]) end
redis.call('HSET', MEMBERS, node, ARGV[10])
redis.call('HSET', NODES, 'd:' .. node, string.format('%.0f', now + leaseMs))
redis.call('HINCRBY', NODES, 'c:' .. node, 1)
newVersion()
return { 'OK' }
`;

/** A node publishes changed facts about itself. ARGV: 6 node, 7 the member as JSON. */
const updateMember = `${refuseOtherEngine}
if redis.call('HEXISTS', MEMBERS, ARGV[6]) == 0 then return { 'UNKNOWN' } end
redis.call('HSET', MEMBERS, ARGV[6], ARGV[7])
newVersion()
return { 'OK' }
`;

/** A node leaves; it holds no session any more. ARGV: 6 node. */
const leave = `${refuseOtherEngine}
local entries = redis.call('HGETALL', TABLE)
for i = 1, #entries, 2 do
  if string.sub(entries[i], 1, 2) == 's:' and string.sub(entries[i + 1], 1, #ARGV[6] + 1) == ARGV[6] .. ' ' then return { 'HOLDS' } end
end
redis.call('HDEL', NODES, 'd:' .. ARGV[6], 'c:' .. ARGV[6])
redis.call('HDEL', MEMBERS, ARGV[6])
-- Every node has left, so the next ones may have another layout. A node that died is still a member.
if redis.call('HLEN', MEMBERS) == 0 then redis.call('HDEL', TABLE, 'layout', 'settings') end
newVersion()
return { 'OK' }
`;

/** Everything at one moment. Decides nothing, so it changes nothing: what it says is compared again by the script that acts on it. */
const read = `
local known = redis.call('HMGET', KEYS[1], 'identity', 'quiet')
return { string.format('%.0f', now), known[1] or '', known[2] or '0', redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]),
  redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[5]) }
`;

export interface OwnershipScripts {
	readonly renew: RedisScript;
	readonly apply: RedisScript;
	readonly prepared: RedisScript;
	readonly handOver: RedisScript;
	readonly release: RedisScript;
	readonly abandon: RedisScript;
	readonly saveRecord: RedisScript;
	readonly join: RedisScript;
	readonly updateMember: RedisScript;
	readonly leave: RedisScript;
	readonly read: RedisScript;
}

/** @internal */
export function ownershipScripts(sources: ScriptSources = redisSources): OwnershipScripts {
	const script = (name: string, lua: string) => ownershipScript({ name, lua }, sources);
	return {
		renew: script('renew', renew),
		apply: script('apply', apply),
		prepared: script('prepared', prepared),
		handOver: script('handOver', handOver),
		release: script('release', release),
		abandon: script('abandon', abandon),
		saveRecord: ownershipScript({ name: 'saveRecord', lua: saveRecord, full: false }, sources),
		join: script('join', join),
		updateMember: script('updateMember', updateMember),
		leave: script('leave', leave),
		read: { name: 'read', lua: `#!lua flags=no-writes\n${sources.time}\n${read}` },
	};
}
