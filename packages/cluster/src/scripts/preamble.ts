// The first lines of every script that changes who owns a session, or that is written as the owner of one. Names in [brackets] are the
// experiments of the model (test/model) that show what breaks without the rule.
import type { RedisScript } from '../redis/redis-port.js';

/** Where a script finds the time and the engine. Tests replace them, because a real Redis cannot be set to another time. */
export interface ScriptSources {
	/** Lua that declares `now`, in ms. */
	readonly time: string;
	/** Lua that declares `runId`. */
	readonly runId: string;
}

export const redisSources: ScriptSources = {
	time: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`,
	runId: `local runId = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')`,
};

/**
 * KEYS: 1 engine, 2 nodes, 3 table, 4 members, 5 records. ARGV: 1 random value, 2 identity that the sender knows, 3 lease, 4 quiet period,
 * 5 gap (ms). The script's own follow from ARGV[6].
 */
const look = `
local ENGINE, NODES, TABLE, MEMBERS, RECORDS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local leaseMs, quietMs, gapMs = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local known = redis.call('HMGET', ENGINE, 'identity', 'time', 'quiet')
local identity, lastTime, quietUntil = known[1], tonumber(known[2] or '0'), tonumber(known[3] or '0')

-- Every script looks at the engine [first-script]. The identity is run_id and a random value: after FLUSHALL the run_id is the old one.
local newEngine = not identity or string.sub(identity, 1, #runId + 1) ~= runId .. '.'
-- Every script compares the time with the last one that a script saw [clock-forward, clock-back].
local steppedBack = lastTime > 0 and now < lastTime
local gap = lastTime > 0 and now - lastTime > gapMs
if newEngine or steppedBack or gap then
  if newEngine then identity = runId .. '.' .. ARGV[1] end
  quietUntil = now + quietMs
  -- No deadline is further away than a lease; else the sessions of a node that dies stay with it until the clock is there [clock-back].
  local nodes = redis.call('HGETALL', NODES)
  for i = 1, #nodes, 2 do
    if string.sub(nodes[i], 1, 2) == 'd:' and tonumber(nodes[i + 1]) > now + leaseMs then
      redis.call('HSET', NODES, nodes[i], string.format('%.0f', now + leaseMs))
    end
  end
end
if quietUntil > now + quietMs then quietUntil = now + quietMs end
redis.call('HSET', ENGINE, 'identity', identity, 'time', string.format('%.0f', now), 'quiet', string.format('%.0f', quietUntil))
local isQuiet = now < quietUntil

-- A session that the table does not have is free, and unsure. A session is unsure until the engine that runs now has confirmed its owner.
local function readSession(id)
  local raw = redis.call('HGET', TABLE, 's:' .. id)
  if not raw then return { owner = '-', epoch = 0, phase = 'held', target = '-', sure = '-' } end
  local owner, epoch, phase, target, sure = string.match(raw, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  return { owner = owner, epoch = tonumber(epoch), phase = phase, target = target, sure = sure }
end
local function writeSession(id, s)
  redis.call('HSET', TABLE, 's:' .. id, string.format('%s %.0f %s %s %s', s.owner, s.epoch, s.phase, s.target, s.sure))
end
local function isUnsure(s) return s.sure ~= identity end
-- Epochs are made of time, so that they grow also when a failover loses the last one [counter].
local function mint(s)
  s.epoch = math.max(s.epoch + 1, now)
  s.sure = identity
end
local function newVersion() return redis.call('HINCRBY', TABLE, 'version', 1) end
local function epochText(epoch) return string.format('%.0f', epoch) end
`;

/**
 * Every script carries the identity that its sender knows, and ends here with the new one where it differs: what was sent before a
 * failover, and plans whose version number happens to match again after it [stale-plan, late-write].
 */
export const refuseOtherEngine = `
if ARGV[2] ~= identity then return { 'ENGINE', identity } end
`;

/** Also runs where Redis has no memory left: a full Redis must not cost a lease. */
const alsoWhenFull = '#!lua flags=allow-oom';
const notWhenFull = '#!lua';

/** @internal */
export function ownershipScript(
	{ name, lua, full = true, binary = false }: { name: string; lua: string; full?: boolean; binary?: boolean },
	sources: ScriptSources,
): RedisScript {
	return {
		name,
		lua: `${full ? alsoWhenFull : notWhenFull}\n${sources.time}\n${sources.runId}\n${look}\n${lua}`,
		binary,
	};
}

/**
 * The comparison in each write of an owner: the session is the sender's, with this epoch, and the engine that runs now has confirmed it.
 * Declares `session`. Needs `by`, `id` and `epoch`.
 */
export const refuseOtherOwner = `
local session = readSession(id)
if session.owner ~= by or session.epoch ~= epoch then return { 'FENCED', session.owner, epochText(session.epoch) } end
if isUnsure(session) then return { 'UNSURE' } end
`;
