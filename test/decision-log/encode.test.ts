import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DecisionEntry } from '../../src/decision-log/log.ts';
import { parseRecord } from '../../src/decision-log/record.ts';
import { createLines, decisionEntry, someTime } from './entries.ts';

const smallest = {
  id: '01JABCDEFGHJKMNPQRSTVWXYZ0',
  instance: 'i-1',
  seq: 7,
  time: '2026-03-04T05:06:07.089Z',
  tenant: 'default',
  subject: 'user:alice',
  action: 'read',
  object: 'doc:42',
  allowed: true,
  reason: 'ALLOWED',
  binding: ['group:ops', 'viewer', '*', 'allow'],
  revision: 'e1.7',
  mode: 'enforce',
  source: 'check',
  caller: 'unix',
};

const cases: { name: string; entry: Partial<DecisionEntry>; adds?: object; leavesOut?: string[] }[] = [
  { name: 'a plain decision', entry: {} },
  { name: 'a question about the tenant', entry: { object: '' }, leavesOut: ['object'] },
  {
    name: 'a denial that no binding explains',
    entry: { allowed: false, enforcedAllowed: false, reason: 'NO_ROLE', binding: '' },
    adds: { allowed: false, reason: 'NO_ROLE' },
    leavesOut: ['binding'],
  },
  {
    name: 'an answer in shadow mode',
    entry: { enforcedAllowed: false, reason: 'EXPLICIT_DENY', mode: 'shadow' },
    adds: { enforced_allowed: false, reason: 'EXPLICIT_DENY', mode: 'shadow' },
  },
  { name: 'a trace', entry: { traceId: 'a'.repeat(32) }, adds: { trace_id: 'a'.repeat(32) } },
  { name: 'an unknown caller', entry: { caller: '' }, leavesOut: ['caller'] },
  { name: 'reach exact', entry: { reach: 'exact' }, adds: { reach: 'exact' } },
  { name: 'asserted groups', entry: { assertedGroups: ['group:"a"'] }, adds: { asserted_groups: ['group:"a"'] } },
  { name: 'active roles', entry: { activeRoles: ['a "b"', 'c'] }, adds: { active_roles: ['a "b"', 'c'] } },
  {
    name: 'an empty list',
    entry: { results: 0, source: 'list_objects' },
    adds: { results: 0, source: 'list_objects' },
  },
  { name: 'a graph that may be behind the store', entry: { dataAgeMs: 75_000 }, adds: { data_age_ms: 75_000 } },
];

test.for(cases)('$name has exactly its keys', ({ entry, adds, leavesOut = [] }) => {
  const expected: Record<string, unknown> = { ...smallest, ...adds };
  for (const key of leavesOut) delete expected[key];
  const line = createLines('i-1', 'default').decision(decisionEntry(entry), 7);
  expect(parseRecord(line)).toEqual(expected);
});

test('any text comes back as it was, on one line', () => {
  const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('"', '\\', '\n', '\0', '\u2028', '\ud800', 'é', '😀'), anyUnit),
    minLength: 1,
  });
  fc.assert(
    fc.property(text, text, text, text, text, (subject, action, object, caller, instance) => {
      const line = createLines(instance, 't').decision(decisionEntry({ subject, action, object, caller }), 1);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(parseRecord(line)).toMatchObject({ subject, action, object, caller, instance });
    }),
  );
});

test('what repeats is not taken over into a record where it changes', () => {
  const encoder = createLines('i-1', 'default');
  const changing = [
    {},
    { revision: 'e1.8' },
    { revision: 'e1.8', mode: 'shadow' },
    { revision: 'e1.8', mode: 'shadow', source: 'batch' },
    { revision: 'e1.8', mode: 'shadow', source: 'batch', caller: '10.0.0.1:5' },
    { time: someTime + 1 },
    {},
  ] as const;
  for (const entry of changing) {
    const { time, revision, mode, source, caller } = decisionEntry(entry);
    expect(parseRecord(encoder.decision(decisionEntry(entry), 1))).toMatchObject({
      time: new Date(time).toISOString(),
      revision,
      mode,
      source,
      caller,
    });
  }
});

test('a gap record names the range and the cause', () => {
  expect(parseRecord(createLines('i-1', 'acme').gap(3, 9, 'buffer_full', someTime))).toEqual({
    type: 'gap',
    instance: 'i-1',
    time: '2026-03-04T05:06:07.089Z',
    tenant: 'acme',
    first: 3,
    last: 9,
    cause: 'buffer_full',
  });
});
