import { expect, test } from 'vitest';
import { describeLogEvent } from '../../src/decision-log/describe-event.ts';
import type { LogEvent } from '../../src/decision-log/lane.ts';

const cases: { event: LogEvent; level: string; says: string }[] = [
  { event: { kind: 'dropping', tenant: 'a' }, level: 'error', says: 'decisions of tenant a are dropped' },
  { event: { kind: 'sink_failed', tenant: 'a', message: 'disk full' }, level: 'warn', says: 'disk full' },
  { event: { kind: 'sink_recovered', tenant: 'a', attempts: 3 }, level: 'info', says: 'after 3 attempts' },
  { event: { kind: 'refused', tenant: 'a', records: 2 }, level: 'error', says: 'refused 2 decisions' },
  { event: { kind: 'abandoned', records: 7 }, level: 'error', says: '7 decisions were not written' },
  { event: { kind: 'close_failed', message: 'EIO' }, level: 'warn', says: 'EIO' },
];

test.for(cases)('$event.kind is told as $level', ({ event, level, says }) => {
  const line = describeLogEvent(event);
  expect(line.level).toBe(level);
  expect(line.message).toContain(says);
});
