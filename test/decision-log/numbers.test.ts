// What is missing behind a place where entries were taken away, told from what was read on both sides of it.
import { expect, test } from 'vitest';
import { createMarks } from '../../src/decision-log/chain/marks.ts';
import { createNumbers } from '../../src/decision-log/numbers.ts';
import { someTime } from './entries.ts';
import { decisionLine, gapLine } from './query/logs.ts';

const change = (seq: number) =>
  JSON.stringify({ type: 'change', ...JSON.parse(decisionLine('a', seq)), by: 'user:ann', changes: [] });
const marks = createMarks('a', 'default');
const seal = (first: number, last: number) => `${marks.seal({ first, last }, 1, someTime)}}`;
const start = (next: number) => `${marks.start({ next, after: 'stop', lostMs: 0, log: '{}' }, someTime)}}`;
const late = (first: number, last: number) => `${marks.gap({ first, last }, 'refused', someTime)}}`;

function missing(before: readonly string[], behind: readonly string[]): number | undefined {
  const numbers = createNumbers();
  numbers.next(
    before.map((record) => ({ record })),
    false,
  );
  return numbers.next(
    behind.map((record) => ({ record })),
    true,
  );
}

test.for<[name: string, before: string[], behind: string[], missing: number | undefined]>([
  ['decisions', [decisionLine('a', 5)], [decisionLine('a', 9)], 3],
  ['nothing', [decisionLine('a', 5)], [decisionLine('a', 6)], undefined],
  ['nothing behind a change', [decisionLine('a', 4), change(5)], [decisionLine('a', 6)], undefined],
  ['nothing before a change', [decisionLine('a', 5)], [change(6), decisionLine('a', 7)], undefined],
  ['decisions before a change', [decisionLine('a', 5)], [change(8), decisionLine('a', 9)], 2],
  ['nothing behind a gap', [decisionLine('a', 5), gapLine('a', 6, 8)], [decisionLine('a', 9)], undefined],
  ['nothing before a gap', [decisionLine('a', 5)], [gapLine('a', 6, 8), decisionLine('a', 9)], undefined],
  ['nothing behind a seal', [seal(1, 5)], [decisionLine('a', 6)], undefined],
  ['decisions before a start', [decisionLine('a', 5)], [start(8), decisionLine('a', 8)], 2],
  ['decisions before what was refused earlier', [decisionLine('a', 5)], [late(2, 3), decisionLine('a', 8)], 2],
  ['nobody knows what', [decisionLine('a', 5)], [decisionLine('b', 9)], 0],
])('%s', ([, before, behind, expected]) => {
  expect(missing(before, behind)).toBe(expected);
});
