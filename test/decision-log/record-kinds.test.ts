// Lines that are no decisions: what is taken, what is refused, and that the document describes their keys.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keysByType, parseRecord } from '../../src/decision-log/record.ts';

const hash = 'h'.repeat(43);
const common = { instance: 'i-1', time: '2026-03-04T05:06:07.089Z', tenant: 'default' };
const id = '01JABCDEFGHJKMNPQRSTVWXYZ0';
const kinds = {
  start: { type: 'start', ...common, next: 1, after: 'nothing', log: { mode: 'spool', sink: 'files' }, hash },
  crash: { type: 'start', ...common, next: 8, after: 'crash', lost_ms: 50, log: {}, hash },
  stop: { type: 'stop', ...common, last: 0, hash },
  seal: { type: 'seal', ...common, first: 1, last: 7, lines: 9, key: 'k', signature: 's', hash },
  'seal of no numbers': { type: 'seal', ...common, first: 1, last: 0, lines: 1, hash },
  refused: { type: 'gap', ...common, first: 3, last: 4, cause: 'refused', from: '', through: hash, hash },
  change: { type: 'change', id, ...common, seq: 2, by: 'user:a', allowed: true, changes: [{ op: 'put' }], hash },
  masked: {
    ...{ id, ...common, seq: 1, action: 'read', allowed: true, reason: 'ALLOWED', revision: 'e.1', mode: 'enforce' },
    ...{ source: 'check', sample_rate: 0.5, masked: ['subject'], path: {}, hash },
  },
};

test.for(Object.entries(kinds))('%s is a record', ([, record]) => {
  expect(parseRecord(JSON.stringify(record))).toEqual(record);
});

test.for([
  { name: 'a hash that is none', record: { ...kinds.stop, hash: 'abc' }, says: 'has a "hash" that is not legal' },
  { name: 'a start after lunch', record: { ...kinds.start, after: 'lunch' }, says: 'has a "after" that is not legal' },
  { name: 'a seal that ends too early', record: { ...kinds.seal, last: -1 }, says: 'has a "last" that is not legal' },
  { name: 'a seal backwards', record: { ...kinds.seal, first: 9 }, says: 'has a "last" before its "first"' },
  { name: 'changes as text', record: { ...kinds.change, changes: 'x' }, says: 'has a "changes" that is not legal' },
  { name: 'a rate of 1', record: { ...kinds.masked, sample_rate: 1 }, says: 'has a "sample_rate" that is not legal' },
  { name: 'a subject that nobody masked', record: { ...kinds.masked, masked: ['object'] }, says: 'has no "subject"' },
  { name: 'a type from the prototype', record: { ...kinds.stop, type: 'toString' }, says: 'not known, "toString"' },
])('$name is refused', ({ record, says }) => {
  expect(() => parseRecord(JSON.stringify(record))).toThrow(says);
});

describe('docs/decision-log.md', () => {
  const docs = readFileSync(new URL('../../docs/decision-log.md', import.meta.url), 'utf8');
  test.for(['start', 'stop', 'seal', 'change'])('describes every key of a %s, and no other', (type) => {
    const others = docs.split(/^## /m).find((part) => part.startsWith('Other records')) ?? '';
    const section = others.split(/^### /m).find((part) => part.startsWith(`${type}\n`)) ?? '';
    const keys = [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
    const everywhere = [...(others.split(/^### /m)[0] ?? '').matchAll(/`([a-z]+)`/g)].map((match) => match[1]);
    expect([...keys, ...everywhere].sort()).toEqual([...(keysByType[type] ?? [])].sort());
  });
});
