// The one script of the identify coordinator. It takes what a holder reports, serves all that wait (of all holders, lowest shard first),
// and answers with what concerns the caller. Everything is idempotent, so that a call without an answer can be repeated.
import type { RedisScript } from '../redis/redis-port.js';
import type { ScriptSources } from '../scripts/preamble.js';

/**
 * KEYS: 1 state. ARGV: 1 random value, 2 holder, 3 window, 4 arrival margin, 5 how long a holder may be silent, 6 channel of changes,
 * 7 reports as JSON: `{ op, … }`, 8 time within which a slot is used.
 *
 * Fields of the state: `run`, `nonce` engine; `mc` max_concurrency; `total`, `remaining`, `reset` the day; `granted` since the beginning;
 * `all` time before which no key is free; `free:<key>` the same for one key; `last:<key>` the slot whose window that is;
 * `served:<shard>` its last slot; `slot:<id>` = key (or `old`), holder, request; `wait:<holder>:<request>` = shard, automatic, reserve;
 * `result:<holder>:<request>` = slot, or `refused`; `holder:<holder>` time until which it is taken to be alive.
 */
const step = `
local STATE, nonce, holder = KEYS[1], ARGV[1], ARGV[2]
local windowMs, marginMs, aliveMs, channel = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local slotFreshMs = tonumber(ARGV[8])
local dayMs = 24 * 60 * 60 * 1000
local state = {}
local changed = false
local flat = redis.call('HGETALL', STATE)
for i = 1, #flat, 2 do state[flat[i]] = flat[i + 1] end
local function set(field, value)
  if type(value) == 'number' then value = string.format('%.0f', value) end
  state[field] = value
  redis.call('HSET', STATE, field, value)
end
local function remove(field)
  state[field] = nil
  redis.call('HDEL', STATE, field)
end
local function number(field, otherwise) return tonumber(state[field] or otherwise or 0) end
local function each(prefix)
  local found = {}
  for field, value in pairs(state) do
    if string.sub(field, 1, #prefix) == prefix then found[#found + 1] = { string.sub(field, #prefix + 1), value, field } end
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  return found
end

-- A new engine, or one that was emptied, knows neither the open windows nor the slots that are under way: all are waited for. Nothing
-- is granted until a holder reports what Discord allows.
if state.run ~= runId then
  redis.call('DEL', STATE)
  state = {}
  set('run', runId)
  set('nonce', nonce)
  set('all', now + slotFreshMs + windowMs + marginMs)
  -- No number of a slot is given twice, also by another engine.
  set('slots', now)
end
set('holder:' .. holder, now + aliveMs)

-- The day.
if state.reset and now >= number('reset') then
  local held = #each('slot:')
  set('remaining', math.max(0, number('total') - held))
  set('reset', now + dayMs)
  changed = true
end

local function endSlot(id, sentAt)
  local slot = state['slot:' .. id]
  if not slot then
    -- Of a former engine: its window begins now, whatever its key was.
    if sentAt then set('all', math.max(number('all'), sentAt + windowMs + marginMs)) end
    return
  end
  local key = string.match(slot, '^(%S+)')
  remove('slot:' .. id)
  changed = true
  if not sentAt then
    set('remaining', math.min(number('total'), number('remaining') + 1))
    return
  end
  local freeAt = sentAt + windowMs + marginMs
  if key == 'old' then
    set('all', math.max(number('all'), freeAt))
  else
    set('free:' .. key, math.max(number('free:' .. key), freeAt))
    set('last:' .. key, id)
  end
end

-- Holders that are gone: it is unknown whether they sent what they were permitted to.
for _, entry in ipairs(each('holder:')) do
  if now >= tonumber(entry[2]) then
    for _, slot in ipairs(each('slot:')) do
      if string.match(slot[2], '^%S+ (%S+) ') == entry[1] then endSlot(slot[1], now) end
    end
    for _, prefix in ipairs({ 'wait:', 'result:' }) do
      for _, own in ipairs(each(prefix .. entry[1] .. ':')) do remove(own[3]) end
    end
    remove('holder:' .. entry[1])
    changed = true
  end
end

for _, report in ipairs(cjson.decode(ARGV[7])) do
  local op = report.op
  if op == 'update' then
    changed = true
    local held = #each('slot:')
    set('total', report.total)
    set('remaining', math.max(0, report.remaining - held))
    -- 0 with starts already used would mean "now"; then only the next answer has the true reset.
    local unknown = report.resetAfter <= 0 and report.remaining < report.total
    set('reset', now + (unknown and dayMs or report.resetAfter))
    if state.mc and number('mc') ~= report.maxConcurrency then
      for _, slot in ipairs(each('slot:')) do set(slot[3], (string.gsub(slot[2], '^%S+', 'old'))) end
      for _, free in ipairs(each('free:')) do
        set('all', math.max(number('all'), tonumber(free[2])))
        remove(free[3])
      end
      for _, last in ipairs(each('last:')) do remove(last[3]) end
    end
    set('mc', report.maxConcurrency)
  elseif op == 'restore' then
    -- What a holder remembers, where the engine remembers nothing.
    if not state.mc then
      changed = true
      set('mc', report.maxConcurrency)
      set('total', report.total)
      set('remaining', report.remaining)
      set('reset', now + report.resetAfter)
    else set('remaining', math.min(number('remaining'), report.remaining)) end
  elseif op == 'wait' then
    if not state['result:' .. holder .. ':' .. report.request] then
      set('wait:' .. holder .. ':' .. report.request, string.format('%d %d %d', report.shard, report.automatic and 1 or 0, report.reserve))
    end
  elseif op == 'leave' then
    remove('wait:' .. holder .. ':' .. report.request)
    changed = true
  elseif op == 'got' then
    remove('result:' .. holder .. ':' .. report.request)
  elseif op == 'sent' then
    endSlot(report.slot, now)
  elseif op == 'release' then
    endSlot(report.slot, nil)
  elseif op == 'confirmed' then
    local slot = state['slot:' .. report.slot]
    if slot then endSlot(report.slot, now) end
    -- Unless another IDENTIFY was sent on this key since, its window began no later than now.
    for _, last in ipairs(each('last:')) do
      if last[2] == report.slot then
        set('free:' .. last[1], math.min(number('free:' .. last[1]), now + windowMs))
        remove(last[3])
        changed = true
      end
    end
  end
end

-- Serve.
local waiting = {}
for _, entry in ipairs(each('wait:')) do
  local shard, automatic, reserve = string.match(entry[2], '^(%d+) (%d) (%d+)$')
  local of, request = string.match(entry[1], '^(.+):(%d+)$')
  waiting[#waiting + 1] = { shard = tonumber(shard), automatic = automatic == '1', reserve = tonumber(reserve), served = number('served:' .. shard), holder = of, request = request, field = entry[3] }
end
-- Lowest shard first, and behind all others one that had a slot since: it may ask again and again.
table.sort(waiting, function(a, b)
  if a.served ~= b.served then return a.served < b.served end
  if a.shard ~= b.shard then return a.shard < b.shard end
  if a.holder ~= b.holder then return a.holder < b.holder end
  return tonumber(a.request) < tonumber(b.request)
end)
local busy, old = {}, false
for _, slot in ipairs(each('slot:')) do
  local key = string.match(slot[2], '^(%S+)')
  if key == 'old' then old = true else busy[key] = true end
end
local nextAt, etas, queued = nil, {}, {}
for _, waiter in ipairs(waiting) do
  local key = state.mc and string.format('%d', waiter.shard % number('mc'))
  local freeAt = key and math.max(number('all'), number('free:' .. key))
  if key and not old and not busy[key] and not queued[key] and now >= freeAt then
    local floor = waiter.automatic and math.min(waiter.reserve, math.floor(number('total') / 10)) or 0
    remove(waiter.field)
    changed = true
    local result = 'result:' .. waiter.holder .. ':' .. waiter.request
    if number('remaining') - 1 >= floor then
      local id = string.format('%d', redis.call('HINCRBY', STATE, 'slots', 1))
      set('slot:' .. id, key .. ' ' .. waiter.holder .. ' ' .. waiter.request)
      set('remaining', number('remaining') - 1)
      set('granted', number('granted') + 1)
      set('served:' .. string.format('%d', waiter.shard), id)
      set(result, id)
      busy[key] = true
    else set(result, 'refused') end
  else
    if key then
      local place = queued[key] or 0
      queued[key] = place + 1
      local first = (busy[key] or old) and now + windowMs or math.max(now, freeAt)
      if not busy[key] and not old and (not nextAt or first < nextAt) then nextAt = first end
      if waiter.holder == holder then
        etas[#etas + 1] = waiter.request
        etas[#etas + 1] = string.format('%.0f', first + place * windowMs)
      end
    end
  end
end

local results = {}
for _, entry in ipairs(each('result:' .. holder .. ':')) do
  results[#results + 1] = entry[1]
  results[#results + 1] = entry[2]
end
if changed then redis.call('PUBLISH', channel, holder) end
return { state.nonce, string.format('%.0f', now), state.mc or '', state.total or '0', state.remaining or '0', state.reset or '0', state.granted or '0',
  nextAt and string.format('%.0f', nextAt) or '', results, etas }
`;

/** @internal */
export function identifyScript(sources: ScriptSources): RedisScript {
	return { name: 'identify', lua: `#!lua flags=allow-oom\n${sources.time}\n${sources.runId}\n${step}` };
}
