import { create, equals, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { createSelect } from '../../../src/decision-log/query/selection.ts';
import { LogEntrySchema } from '../../../src/gen/postern/v1/decision_log_pb.ts';
import { fromFoundLine } from '../../../src/server/decision-log/entries.ts';
import { decisionLine, gapLine } from '../../decision-log/query/logs.ts';

const hash = 'h'.repeat(43);
const common = { instance: 'a', time: '2026-03-04T05:06:07.089Z', tenant: 'default' };
const origin = { instance: 'a', time: '2026-03-04T05:06:07.089Z', tenant: 'default', hash };
const id = '01JABCDEFGHJKMNPQRSTVWXYZ0';

function messageOf(line: string): JsonValue {
  const found = createSelect({ allKinds: true })(line);
  if (found === undefined) return expect.fail('was not found');
  const message = create(LogEntrySchema, fromFoundLine(found));
  // What is told as JSON is what is told as bytes.
  const json = toJson(LogEntrySchema, message);
  expect(equals(LogEntrySchema, fromJson(LogEntrySchema, json), message)).toBe(true);
  return json;
}

test.for<[kind: string, record: object, message: object]>([
  [
    'a change',
    {
      ...{ type: 'change', id, ...common, seq: 7, by: 'user:ada', via: 'service:ci', why: 'joins', allowed: true },
      ...{ revision: 'e1.8', changes: [{ op: 'put', after: { kind: 'role', name: 'r' } }, { op: 'delete' }] },
      ...{ changes_omitted: 3, hash },
    },
    {
      change: {
        ...{ origin, id, seq: '7', by: 'user:ada', via: 'service:ci', why: 'joins', allowed: true, revision: 'e1.8' },
        changes: [{ op: 'put', after: { kind: 'role', name: 'r' } }, { op: 'delete' }],
        changesOmitted: '3',
      },
    },
  ],
  [
    'a change that was refused',
    {
      type: 'change',
      id,
      ...common,
      seq: 7,
      by: 'user:eve',
      allowed: false,
      error: 'NOT_PERMITTED',
      changes: [],
      hash,
    },
    { change: { origin, id, seq: '7', by: 'user:eve', error: 'NOT_PERMITTED' } },
  ],
  [
    'a start after a crash',
    { type: 'start', ...common, next: 5, after: 'crash', lost_ms: 0, log: { mode: 'spool' }, hash },
    { start: { origin, next: '5', after: 'crash', lostMs: '0', log: { mode: 'spool' } } },
  ],
  ['a stop', { type: 'stop', ...common, last: 9, hash }, { stop: { origin, last: '9' } }],
  [
    'a seal',
    { type: 'seal', ...common, first: 1, last: 9, lines: 11, key: 'k', signature: 's', hash },
    { seal: { origin, first: '1', last: '9', lines: '11', key: 'k', signature: 's' } },
  ],
  [
    'a gap of what was refused',
    { type: 'gap', ...common, first: 2, last: 3, cause: 'refused', from: hash, through: hash, hash },
    { gap: { origin, first: '2', last: '3', cause: 'refused', from: hash, through: hash } },
  ],
])('%s is told as a message, and as its line', ([, record, message]) => {
  const line = JSON.stringify(record);
  expect(messageOf(line)).toEqual({ line, ...message });
});

test('a decision whose subject was masked away, with its path and the rate of its sample', () => {
  const line = decisionLine('a', 1, {
    subject: undefined,
    masked: ['subject'],
    sample_rate: 0.25,
    path: { scope: '*' },
  });
  expect(messageOf(line)).toMatchObject({
    decision: { masked: ['subject'], sampleRate: 0.25, path: { scope: '*' }, allowed: true, enforcedAllowed: true },
  });
  expect(messageOf(line)).not.toHaveProperty('decision.subject');
});

test('lines of a log without a chain have no hash', () => {
  expect(messageOf(gapLine('a', 1, 2))).not.toHaveProperty('gap.origin.hash');
});

test('a line that is no record, or of a kind that is not known here, is told as it stands, and why', () => {
  for (const line of ['{"torn', '{"type":"later"}']) {
    expect(messageOf(line)).toEqual({ line, problem: expect.stringContaining('record') });
  }
});
