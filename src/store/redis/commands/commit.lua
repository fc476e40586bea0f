-- Commits one change set of one tenant, atomically. Redis does not roll back, so whatever can be refused is refused
-- before the first write; the first write is an XADD, which Redis itself refuses where memory or ids do not allow it.
--
-- KEYS[1]  head: hash of epoch, revision, nonce, kinds (those that have records), mark, markBytes, deleted
-- KEYS[2]  changes: stream
-- KEYS[3]  staging: list of the changes where ARGV[12] is "1"; otherwise not touched
-- KEYS[4]  and up: record hashes, one for each kind, in the order of ARGV[1]
-- ARGV[1]  the kinds, separated by spaces
-- ARGV[2]  channel
-- ARGV[3]  epoch to begin with where the tenant has no history
-- ARGV[4]  nonce of this commit
-- ARGV[5]  expected epoch
-- ARGV[6]  expected revision number; "" expects nothing
-- ARGV[7]  expected nonce; "" where it is not known
-- ARGV[8]  at, milliseconds
-- ARGV[9]  by, or ""
-- ARGV[10] via, or ""
-- ARGV[11] why, or ""
-- ARGV[12] "1" where the changes are staged
-- ARGV[13] how many changes each part holds, separated by spaces; a part becomes one stream entry
-- ARGV[14] about how many stream entries to keep
-- ARGV[15] about how many bytes of history to keep
-- ARGV[16] "1" where this deletes the tenant: it is off the list of tenants until the next revision
-- ARGV[17] the message after its revision, or "" to publish only the revision
-- ARGV[18] and up: the changes, four texts each: "+kind", key, record, before; or "-kind", key, "", before. Without a
--          before it is "". Staged ones look the same.
--
-- Returns {"ok", epoch, revision}, {"conflict", epoch, revision, nonce}, {"wrongtype", key, type, wanted},
-- {"corrupt", key, what is wrong} or {"unstaged"}.
local head, changes, staging = KEYS[1], KEYS[2], KEYS[3]
local staged = ARGV[12] == '1'
local firstChange, width = 18, 4

local function typeOf(key)
  return redis.call('TYPE', key).ok
end

-- What bounds history may be garbage: it must not end a commit after its first write, as "inf" would.
local function whole(field)
  return #(field or '') <= 15 and string.match(field or '', '^%d+$') and tonumber(field) or 0
end

local function text(number)
  return string.format('%.0f', number)
end

local records, kinds, missing, others = {}, {}, {}, false
local index = 4
for kind in string.gmatch(ARGV[1], '%S+') do
  local key = KEYS[index]
  local found = typeOf(key)
  if found ~= 'hash' and found ~= 'none' then return { 'wrongtype', key, found, 'hash' } end
  if found == 'hash' then others = key else missing[kind] = key end
  records[kind] = key
  kinds[#kinds + 1] = kind
  index = index + 1
end
local foundChanges = typeOf(changes)
if foundChanges ~= 'stream' and foundChanges ~= 'none' then return { 'wrongtype', changes, foundChanges, 'stream' } end
if foundChanges == 'stream' then others = changes end
local foundHead = typeOf(head)
if foundHead ~= 'hash' and foundHead ~= 'none' then return { 'wrongtype', head, foundHead, 'hash' } end

local epoch, revision, after, mark, markBytes = ARGV[3], 0, '', 0, 0
if foundHead == 'hash' then
  local fields = redis.call('HMGET', head, 'epoch', 'revision', 'mark', 'markBytes', 'kinds', 'nonce')
  epoch, revision = fields[1], tonumber(fields[2] or '')
  if not string.match(epoch or '', '^%w+$') or #epoch > 64 then
    return { 'corrupt', head, 'has no field "epoch" of letters and digits' }
  end
  if not string.match(fields[2] or '', '^[1-9]%d*$') or #fields[2] > 15 then
    return { 'corrupt', head, 'has no field "revision" that is a whole number above 0' }
  end
  -- With its number, so that it is not taken for the nonce of a later commit whose writer knew of none.
  local ofNumber, nonce = string.match(fields[6] or '', '^(%d+)%-(%w+)$')
  if ofNumber == text(revision) then after = nonce end
  mark, markBytes = whole(fields[3]), whole(fields[4])
  for kind in string.gmatch(fields[5] or '', '%S+') do
    if missing[kind] then return { 'corrupt', missing[kind], 'is missing, while ' .. head .. ' says that it has records' } end
  end
elseif others then
  return { 'corrupt', head, 'is missing, while ' .. others .. ' is there' }
end

if ARGV[6] ~= '' then
  local expected = tonumber(ARGV[6])
  local other = after ~= '' and ARGV[7] ~= '' and ARGV[7] ~= after
  if expected ~= revision or (revision > 0 and (ARGV[5] ~= epoch or other)) then
    return { 'conflict', epoch, text(revision), after }
  end
end

local parts, total = {}, 0
for count in string.gmatch(ARGV[13], '%d+') do
  parts[#parts + 1] = tonumber(count)
  total = total + tonumber(count)
end
if staged and redis.call('LLEN', staging) ~= total * width then return { 'unstaged' } end

-- From here on only writes. A part at a time, so that a large change set is never in Lua's memory as a whole.
local number = text(revision + 1)
local cursor = firstChange

local function takePart(count)
  if not staged then
    local from = cursor
    cursor = cursor + count * width
    return ARGV, from, cursor - 1
  end
  return redis.call('LRANGE', staging, 0, count * width - 1), 1, count * width
end

local function entryOf(part, from, to, first)
  local entry = {}
  if first then
    entry = { 'epoch', epoch, 'nonce', ARGV[4], 'at', ARGV[8], 'parts', tostring(#parts) }
    if after ~= '' then entry[#entry + 1] = 'after'; entry[#entry + 1] = after end
    if ARGV[9] ~= '' then entry[#entry + 1] = 'by'; entry[#entry + 1] = ARGV[9] end
    if ARGV[10] ~= '' then entry[#entry + 1] = 'via'; entry[#entry + 1] = ARGV[10] end
    if ARGV[11] ~= '' then entry[#entry + 1] = 'why'; entry[#entry + 1] = ARGV[11] end
  end
  local size = #entry
  for i = from, to, width do
    local op, before = part[i], part[i + 3]
    if before ~= '' then
      entry[size + 1] = '=' .. string.sub(op, 2)
      entry[size + 2] = before
      markBytes = markBytes + #before
      size = size + 2
    end
    entry[size + 1] = op
    entry[size + 2] = string.byte(op) == 43 and part[i + 2] or part[i + 1]
    markBytes = markBytes + #entry[size + 2]
    size = size + 2
  end
  return entry
end

-- Changes are applied in their order; neighbours of one kind and one op go in one command.
local function write(op, list)
  local command = string.byte(op) == 43 and 'HSET' or 'HDEL'
  redis.call(command, records[string.sub(op, 2)], unpack(list))
end

local function apply(part, from, to)
  local op, list, size = nil, {}, 0
  for i = from, to, width do
    if part[i] ~= op or size >= 2000 then
      if size > 0 then write(op, list) end
      op, list, size = part[i], {}, 0
    end
    size = size + 1
    list[size] = part[i + 1]
    if string.byte(op) == 43 then
      size = size + 1
      list[size] = part[i + 2]
    end
  end
  if size > 0 then write(op, list) end
end

for i, count in ipairs(parts) do
  local part, from, to = takePart(count)
  redis.call('XADD', changes, number .. '-' .. (i - 1), unpack(entryOf(part, from, to, i == 1)))
  apply(part, from, to)
  if staged then redis.call('LTRIM', staging, count * width, -1) end
end

-- History is cut by entries, and by bytes in two generations: when the younger one has half of the bytes, the older
-- one goes. That needs no look at old entries, and keeps the newest change set whatever its size.
redis.call('XTRIM', changes, 'MAXLEN', '~', ARGV[14])
if markBytes > tonumber(ARGV[15]) / 2 then
  redis.call('XTRIM', changes, 'MINID', text(mark) .. '-0')
  mark, markBytes = revision + 2, 0
end
local present = {}
for _, kind in ipairs(kinds) do
  if redis.call('EXISTS', records[kind]) == 1 then present[#present + 1] = kind end
end
redis.call('HSET', head, 'epoch', epoch, 'revision', number, 'nonce', number .. '-' .. ARGV[4],
  'kinds', table.concat(present, ' '), 'mark', text(mark), 'markBytes', text(markBytes))
-- A number, not a flag: whoever commits next lists the tenant again without knowing of this.
if ARGV[16] == '1' then redis.call('HSET', head, 'deleted', number) end

local message = '{"epoch":"' .. epoch .. '","revision":' .. number .. ',"nonce":"' .. ARGV[4] .. '"'
if after ~= '' then message = message .. ',"after":"' .. after .. '"' end
redis.call('PUBLISH', ARGV[2], message .. (ARGV[17] == '' and '}' or ',' .. ARGV[17]))
return { 'ok', epoch, number }
