import { expect, test } from 'vitest';
import { describeLogEvent } from '../../src/decision-log/describe-event.ts';
import type { LogEvent } from '../../src/decision-log/events.ts';

const cases: { event: LogEvent; level: string; says: string }[] = [
  {
    event: { kind: 'dropping', tenant: 'a', which: 'oldest' },
    level: 'error',
    says: 'the oldest decisions of tenant a are dropped',
  },
  { event: { kind: 'sink_failed', tenant: 'a', message: 'disk full' }, level: 'warn', says: 'disk full' },
  { event: { kind: 'sink_recovered', tenant: 'a', attempts: 3 }, level: 'info', says: 'after 3 attempts' },
  { event: { kind: 'spool_full', bytes: 1 }, level: 'error', says: '--decision-log-spool-bytes' },
  { event: { kind: 'spool_failed', tenant: 'a', message: 'ENOSPC' }, level: 'error', says: 'ENOSPC' },
  { event: { kind: 'spool_recovered', tenant: 'a' }, level: 'info', says: 'works again for tenant a' },
  {
    event: { kind: 'resumed', tenant: 'a', lastSeq: 7, waitingBytes: 5 },
    level: 'info',
    says: 'after number 7; 5 bytes',
  },
  { event: { kind: 'crashed', tenant: 'a', lastSeq: 7, cutBytes: 3 }, level: 'warn', says: '3 bytes of a line' },
  { event: { kind: 'left_in_spool', bytes: 9 }, level: 'warn', says: '9 bytes of decisions are left' },
  { event: { kind: 'refused', tenant: 'a', records: 2 }, level: 'error', says: 'refused 2 decisions' },
  { event: { kind: 'abandoned', records: 7 }, level: 'error', says: '7 decisions were not written' },
  { event: { kind: 'close_failed', message: 'EIO' }, level: 'warn', says: 'EIO' },
];

test.for(cases)('$event.kind is told as $level', ({ event, level, says }) => {
  const line = describeLogEvent(event);
  expect(line.level).toBe(level);
  expect(line.message).toContain(says);
});
