import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gapKeys, parseRecord, recordKeys } from '../../src/decision-log/record.ts';
import { createLines, decisionEntry, someTime } from './entries.ts';

const decision = createLines('i-1', 'default').decision(decisionEntry(), 1);
const gap = createLines('i-1', 'default').gap(1, 2, 'refused', someTime);

function edited(line: string, change: (record: Record<string, unknown>) => void): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  change(record);
  return JSON.stringify(record);
}

test.for([
  { name: 'text', line: 'hello', says: 'is not JSON' },
  { name: 'half a line', line: decision.slice(0, 60), says: 'is not JSON' },
  { name: 'a number', line: '1', says: 'is not a JSON object' },
  { name: 'null', line: 'null', says: 'is not a JSON object' },
  { name: 'a list', line: '[]', says: 'is not a JSON object' },
  { name: 'an empty object', line: '{}', says: 'has no "instance"' },
  { name: 'another type', line: edited(decision, (r) => (r.type = 'x')), says: 'has a type that is not known, "x"' },
  { name: 'seq as text', line: edited(decision, (r) => (r.seq = '1')), says: 'has a "seq" that is not legal' },
  { name: 'seq 0', line: edited(decision, (r) => (r.seq = 0)), says: 'has a "seq" that is not legal' },
  {
    name: 'allowed as text',
    line: edited(decision, (r) => (r.allowed = 'true')),
    says: 'has a "allowed" that is not legal',
  },
  {
    name: 'a local time',
    line: edited(decision, (r) => (r.time = '2026-03-04')),
    says: 'has a "time" that is not legal',
  },
  { name: 'no ULID', line: edited(decision, (r) => (r.id = '7')), says: 'has a "id" that is not legal' },
  {
    name: 'binding as text',
    line: edited(decision, (r) => (r.binding = 'x')),
    says: 'has a "binding" that is not legal',
  },
  {
    name: 'a gap that ends before it begins',
    line: edited(gap, (r) => (r.first = 3)),
    says: 'has a "last" before its "first"',
  },
])('$name is refused', ({ line, says }) => {
  expect(() => parseRecord(line)).toThrow(says);
});

test('a key of a newer writer is left alone', () => {
  expect(parseRecord(edited(decision, (r) => (r.newer = 'abc')))).toMatchObject({ seq: 1, newer: 'abc' });
});

test('docs/decision-log.md describes every key, and no other', () => {
  const docs = readFileSync(new URL('../../docs/decision-log.md', import.meta.url), 'utf8');
  const keysUnder = (heading: string) => {
    const section = docs.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
    return [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]).sort();
  };
  expect(keysUnder('A decision')).toEqual([...recordKeys].sort());
  expect(keysUnder('A gap')).toEqual([...gapKeys].sort());
});
