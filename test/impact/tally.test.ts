// What keeps memory bounded, and that what is beyond the bounds is told.
import { expect, test } from 'vitest';
import { Distinct } from '../../src/impact/distinct.ts';
import { createTally } from '../../src/impact/tally.ts';
import { decisionRecord } from './records.ts';

test('names are counted exactly up to ten thousand, and at least so many beyond', () => {
  const budget = { left: 1_000_000 };
  const distinct = new Distinct(budget);
  for (let i = 0; i < 20_000; i++) distinct.add(`user:${i % 10_000}`);
  expect([distinct.count, distinct.isExact]).toEqual([10_000, true]);
  distinct.add('user:one-more');
  expect([distinct.count, distinct.isExact]).toEqual([10_000, false]);
  expect(budget.left).toBe(990_000);
});

test('many counters together keep no more names than their budget', () => {
  const budget = { left: 5 };
  const [first, second] = [new Distinct(budget), new Distinct(budget)];
  for (const name of ['a', 'b', 'c']) first.add(name);
  for (const name of ['a', 'b', 'c']) second.add(name);
  expect([first.count, first.isExact, second.count, second.isExact]).toEqual([3, true, 2, false]);
});

test('groups beyond twenty thousand are not kept, and their decisions are counted', () => {
  const tally = createTally('subject');
  const before = { answer: 'allowed', reason: 'ALLOWED', binding: '', message: '' } as const;
  const after = { answer: 'denied', reason: 'NO_ROLE', binding: '', message: '' } as const;
  for (let i = 0; i < 20_005; i++) {
    tally.add({ record: decisionRecord(i + 1, { subject: `user:${i}` }), direction: 'newly_denied', before, after });
  }
  tally.add({ record: decisionRecord(1, { subject: 'user:7' }), direction: 'newly_denied', before, after });
  expect(tally.groups()).toHaveLength(20_000);
  expect(tally.groups()[0]).toMatchObject({ common: { subject: 'user:7' }, count: 2 });
  expect(tally.ungrouped).toBe(5);
});
