// Which lines pass a filter that are no decisions, and what a filter says of time and place.
import { expect, test } from 'vitest';
import { matches, type RecordFilter } from '../../src/decision-log/filter.ts';
import { parseRecord } from '../../src/decision-log/record.ts';

const common = { instance: 'i-1', time: '2026-03-04T05:06:07.089Z', tenant: 'default' };
const parse = (record: object) => parseRecord(JSON.stringify({ ...record, ...common }));
const id = '01JABCDEFGHJKMNPQRSTVWXYZ1';
const change = parse({ type: 'change', id, seq: 2, by: 'user:alice', allowed: false, changes: [] });
const answered = {
  action: 'read',
  allowed: true,
  reason: 'ALLOWED',
  revision: 'e.1',
  mode: 'enforce',
  source: 'check',
};
const record = parse({ id: '01JABCDEFGHJKMNPQRSTVWXYZ0', seq: 1, subject: 'user:alice', ...answered });
const gap = parse({ type: 'gap', first: 3, last: 4, cause: 'buffer_full' });
const stop = parse({ type: 'stop', last: 2 });
const taken = (filter: RecordFilter) =>
  Object.entries({ record, gap, change, stop }).flatMap(([name, one]) => (matches(filter, one) ? [name] : []));

test.for<[filter: RecordFilter, names: string[]]>([
  [{}, ['record', 'gap', 'change']],
  [{ allKinds: true }, ['record', 'gap', 'change', 'stop']],
  [{ subject: 'user:alice' }, ['record', 'gap', 'change']],
  [{ allowed: false }, ['gap', 'change']],
  [{ action: 'read' }, ['record', 'gap']],
  [{ source: 'check' }, ['record', 'gap']],
  [{ id }, ['change']],
  [{ id, allKinds: true }, ['change']],
  [{ tenant: ['acme', 'default'] }, ['record', 'gap', 'change']],
  [{ tenant: ['acme'] }, []],
  [{ instance: 'i-2', allKinds: true }, []],
  [{ since: '2026-03-04T05:06:07.089Z' }, ['record', 'gap', 'change']],
  [{ since: '2026-03-04T05:06:07.090Z', allKinds: true }, []],
  [{ until: '2026-03-04T05:06:07.089Z', allKinds: true }, []],
])('%j takes %j', ([filter, names]) => {
  expect(taken(filter)).toEqual(names);
});
