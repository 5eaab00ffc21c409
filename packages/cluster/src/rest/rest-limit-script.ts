// The one script of the global REST limit: divides it among the nodes that ask. What one node may use is lent to it for a time; within it the
// node needs no call. Discord: Rate Limits, "Global Rate Limit".
import type { RedisScript } from '../redis/redis-port.js';
import type { ScriptSources } from '../scripts/preamble.js';

/**
 * KEYS: 1 state. ARGV: 1 node, 2 limit, 3 what it wants, 4 what it may be using until its next call, 5 nodes of the cluster, 6 shortest time
 * between its calls, 7 how long what was used counts (ms).
 *
 * Fields of the state: `run` engine; `time` of the last call; `quiet` until when no node gets more than its share; `n:<node>` = what is
 * reserved for it, what it wants, until when, and for how long that was lent.
 *
 * Returns what the node may use, for how long, when it should ask again, and how many nodes there are at least.
 */
const divide = `
local STATE, node = KEYS[1], ARGV[1]
local limit, want, keep, nodes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), math.max(1, tonumber(ARGV[5]))
local shortestMs, countedMs = tonumber(ARGV[6]), tonumber(ARGV[7])

local parts, asking = {}, 1
local lastTime, quietUntil, run = 0, 0, nil
local flat = redis.call('HGETALL', STATE)
for i = 1, #flat, 2 do
  local name = string.match(flat[i], '^n:(.+)$')
  if name then
    local reserved, wanted, untilMs, lentMs = string.match(flat[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
    parts[name] = { reserved = tonumber(reserved), want = tonumber(wanted), untilMs = tonumber(untilMs), lentMs = tonumber(lentMs) }
    if name ~= node then asking = asking + 1 end
  elseif flat[i] == 'run' then run = flat[i + 1]
  elseif flat[i] == 'time' then lastTime = tonumber(flat[i + 1])
  elseif flat[i] == 'quiet' then quietUntil = tonumber(flat[i + 1]) end
end

-- A node that asks exists, whatever the one that asks now knows about it.
nodes = math.max(nodes, asking)
local share = math.max(1, math.floor(limit / nodes))

-- All nodes together ask at most ten times a second, and each has three tries before its part ends.
local intervalMs = math.max(shortestMs, asking * 110)
local lentMs = intervalMs * 3

-- Nodes that could not ask each use their share, which this engine may not know of. No part was lent for longer than the longest of these.
local longestMs = lentMs
for _, part in pairs(parts) do longestMs = math.max(longestMs, part.lentMs) end
if run ~= runId or now < lastTime or now - lastTime > longestMs then
  quietUntil = now + longestMs + countedMs
  -- Nor could they give anything back, however long this has taken: each that wanted some counts as cut off (see below) for some 8 s more.
  for name, part in pairs(parts) do
    if part.want > 0 and name ~= node then
      part.untilMs = now - countedMs
      redis.call('HSET', STATE, 'n:' .. name, string.format('%.0f %.0f %.0f %.0f', part.reserved, part.want, part.untilMs, part.lentMs))
    end
  end
end
if quietUntil > now + longestMs + countedMs then quietUntil = now + longestMs + countedMs end
local isQuiet = now < quietUntil

local reservedByOthers = 0
for name, part in pairs(parts) do
  -- The clock of the engine may have been set back.
  if part.untilMs > now + part.lentMs then part.untilMs = now + part.lentMs end
  if name == node then
    -- Its own is written below.
  elseif now < part.untilMs + countedMs then
    reservedByOthers = reservedByOthers + part.reserved
  elseif part.want > 0 and now < part.untilMs + 10000 then
    -- It gave nothing back: it may be cut off, and use its share.
    part.isCutOff = true
    reservedByOthers = reservedByOthers + share
  else
    redis.call('HDEL', STATE, 'n:' .. name)
    parts[name] = nil
  end
end

-- Each gets what it wants, as far as there is enough for all: what is over is divided among those that want more.
local wants = { { name = node, want = want } }
for name, part in pairs(parts) do
  if name ~= node then wants[#wants + 1] = { name = name, want = part.isCutOff and share or part.want } end
end
table.sort(wants, function(a, b)
  if a.want ~= b.want then return a.want < b.want end
  return a.name < b.name
end)
local left, part = limit, 0
for i, each in ipairs(wants) do
  local gets = math.min(each.want, math.floor(left / (#wants - i + 1)))
  left = left - gets
  if each.name == node then part = gets end
end
part = math.max(0, math.min(part, limit - reservedByOthers))
if isQuiet then part = math.min(part, share) end

if want == 0 and keep == 0 then redis.call('HDEL', STATE, 'n:' .. node)
else
  redis.call('HSET', STATE, 'n:' .. node, string.format('%.0f %.0f %.0f %.0f', math.max(part, keep), want, now + lentMs, lentMs))
end
redis.call('HSET', STATE, 'run', runId, 'time', string.format('%.0f', now), 'quiet', string.format('%.0f', quietUntil))
return { part, lentMs, intervalMs, nodes }
`;

/** @internal */
export function restLimitScript(sources: ScriptSources): RedisScript {
	return { name: 'rest-limit', lua: `#!lua flags=allow-oom\n${sources.time}\n${sources.runId}\n${divide}` };
}
