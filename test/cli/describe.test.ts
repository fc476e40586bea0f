// Decisions and records in words.
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { describeBinding } from '../../src/cli/describe.ts';
import { isColoured } from '../../src/cli/output.ts';
import { describeRecord } from '../../src/cli/records.ts';
import type { DecisionRecord } from '../../src/decision-log/record.ts';
import { bindingKey } from '../../src/model/entity.ts';

const plain = picocolors.createColors(false);

describe('a binding', () => {
  test.for([
    [bindingKey('user:alice', 'editor', 'doc:42', 'allow', undefined), 'user:alice editor on doc:42'],
    [bindingKey('user:alice', 'editor', '*', 'deny', undefined), 'user:alice editor on * (deny)'],
    [bindingKey('*', 'r', 'doc:*', 'deny', 'night'), '* r on doc:* (night, deny)'],
    [bindingKey('a:b', 'r', { type: 'doc', regex: 'a+' }, 'allow', undefined), 'a:b r on {"type":"doc","regex":"a+"}'],
    ['no JSON \u001b[2J', 'no JSON \ufffd[2J'],
  ])('%s is read out', ([binding, words]) => {
    expect(describeBinding(binding as string)).toBe(words);
  });
});

const record: DecisionRecord = {
  id: '01JD0000000000000000000000',
  instance: 'i',
  seq: 1,
  time: '2026-06-01T12:00:00.000Z',
  tenant: 'default',
  subject: 'user:alice',
  action: 'read',
  object: 'doc:42',
  allowed: true,
  reason: 'ALLOWED',
  binding: ['user:alice', 'editor', 'doc:42', 'allow'],
  revision: 'e.1',
  mode: 'enforce',
  source: 'check',
};

describe('a record', () => {
  test('of a check says who, what, and by which binding', () => {
    expect(describeRecord(record, plain)).toBe(
      '2026-06-01T12:00:00.000Z allowed user:alice read doc:42  ALLOWED by user:alice editor on doc:42',
    );
  });

  test('of a denial in shadow mode says what enforcing would have answered', () => {
    const shadow: DecisionRecord = {
      ...record,
      enforced_allowed: false,
      reason: 'ROLE_LACKS_PERMISSION',
      mode: 'shadow',
    };
    expect(describeRecord(shadow, plain)).toContain(
      'ROLE_LACKS_PERMISSION, closest is user:alice editor on doc:42 [enforced, it would be denied]',
    );
  });

  test('of a list says how much it was', () => {
    expect(describeRecord({ ...record, source: 'list_objects', results: 7 }, plain)).toContain(
      '[list_objects, 7 results]',
    );
  });

  test('of a graph that may be behind says how old it was', () => {
    expect(describeRecord({ ...record, data_age_ms: 75_500 }, plain)).toContain('[data 75.5 s old]');
  });

  test('of a gap says how many are missing, and why', () => {
    const gap = {
      type: 'gap',
      instance: 'i',
      time: record.time,
      tenant: 'default',
      first: 5,
      last: 7,
      cause: 'queue_full',
    } as const;
    expect(describeRecord(gap, plain)).toBe(`${record.time} gap: 3 missing, 5 to 7 of i: queue_full`);
  });

  test('that was sampled or masked says so', () => {
    const { subject, ...rest } = record;
    const words = describeRecord({ ...rest, sample_rate: 0.01, masked: ['subject', 'caller'] }, plain);
    expect(subject).toBe('user:alice');
    expect(words).toContain('allowed (masked) read doc:42');
    expect(words).toContain('[sampled at 0.01, masked: subject, caller]');
  });

  test.for([
    [
      { type: 'start', next: 1, after: 'nothing', log: { mode: 'block' } },
      'start: i begins with number 1, after nothing; {"mode":"block"}',
    ],
    [
      { type: 'start', next: 8, after: 'crash', lost_ms: 50, log: {} },
      'start: i begins with number 8, after a crash, which may have cost what was decided in its last 50 ms; {}',
    ],
    [{ type: 'stop', last: 7 }, 'stop: i ended in order, after number 7'],
    [{ type: 'seal', first: 1, last: 7, lines: 9 }, 'seal: 9 lines of i, 1 to 7, not signed'],
    [{ type: 'seal', first: 8, last: 7, lines: 1, key: 'k', signature: 's' }, 'seal: 1 line of i, signed by k'],
    [
      {
        type: 'change',
        id: record.id,
        seq: 2,
        by: 'user:a',
        via: 'user:b',
        why: 'ticket 7',
        revision: 'e.2',
        allowed: true,
        changes: [{}, {}],
        changes_omitted: 3,
      },
      'changed user:a via user:b  5 changes [at e.2, because ticket 7]',
    ],
    [
      { type: 'change', id: record.id, seq: 2, by: 'user:a', allowed: false, error: 'FORBIDDEN', changes: [{}] },
      'refused user:a  1 change [FORBIDDEN]',
    ],
  ] as const)('of another kind is read out: %j', ([other, words]) => {
    expect(describeRecord({ ...other, instance: 'i', time: record.time, tenant: 'default' }, plain)).toBe(
      `${record.time} ${words}`,
    );
  });

  test('cannot move the cursor', () => {
    expect(describeRecord({ ...record, subject: 'user:\u001b[2J' }, plain)).not.toContain('\u001b');
  });
});

describe('colour', () => {
  test.for([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
  ] as const)('of a stream with isTTY=%s under %o is %s', ([isTTY, env, coloured]) => {
    expect(isColoured({ isTTY }, env)).toBe(coloured);
  });
});
