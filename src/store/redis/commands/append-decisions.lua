-- Appends decision records to a tenant's stream: one entry for each line.
-- KEYS[1]  the tenant's decision stream
-- ARGV[1]  the records: lines of JSON, each ended by a newline
-- Returns the id of the last entry, false without one.
local call, key, lines = redis.call, KEYS[1], ARGV[1]
local find, sub = string.find, string.sub
local id, from = false, 1
-- A plain find is a third cheaper, per record, than gmatch with a pattern.
local to = find(lines, '\n', from, true)
while to do
  id = call('XADD', key, '*', 'record', sub(lines, from, to - 1))
  from = to + 1
  to = find(lines, '\n', from, true)
end
return id
