import { expect, test } from 'vitest';
import { matches, type RecordFilter } from '../../src/decision-log/filter.ts';
import { parseRecord } from '../../src/decision-log/record.ts';
import { createLines, decisionEntry, someTime } from './entries.ts';

const encoder = createLines('i-1', 'default');
const record = parseRecord(encoder.decision(decisionEntry({ object: 'doc:a:b' }), 1));
const gap = parseRecord(encoder.gap(1, 2, 'buffer_full', someTime));

const cases: { filter: RecordFilter; record: boolean; gap: boolean }[] = [
  { filter: {}, record: true, gap: true },
  { filter: { tenant: 'default' }, record: true, gap: true },
  { filter: { tenant: 'acme' }, record: false, gap: false },
  { filter: { allowed: true }, record: true, gap: true },
  { filter: { allowed: false }, record: false, gap: true },
  { filter: { subject: 'user:alice' }, record: true, gap: true },
  { filter: { subject: 'user:bob' }, record: false, gap: true },
  { filter: { action: 'read' }, record: true, gap: true },
  { filter: { action: 'write' }, record: false, gap: true },
  { filter: { type: 'doc' }, record: true, gap: true },
  { filter: { type: 'folder' }, record: false, gap: true },
  { filter: { object: 'doc:a:b' }, record: true, gap: true },
  { filter: { object: 'doc:a' }, record: false, gap: true },
  { filter: { source: 'check' }, record: true, gap: true },
  { filter: { source: 'batch' }, record: false, gap: true },
  { filter: { subject: 'user:alice', allowed: false }, record: false, gap: true },
];

test.for(cases)('filter $filter takes the decision: $record, the gap: $gap', (given) => {
  expect({ record: matches(given.filter, record), gap: matches(given.filter, gap) }).toEqual({
    record: given.record,
    gap: given.gap,
  });
});

test('a question about the tenant has no type', () => {
  const aboutTenant = parseRecord(encoder.decision(decisionEntry({ object: '' }), 1));
  expect(matches({ type: 'doc' }, aboutTenant)).toBe(false);
});
