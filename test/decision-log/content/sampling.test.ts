import { expect, test } from 'vitest';
import { isDrawn, parseSampleRates } from '../../../src/decision-log/content/sampling.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import { someTime } from '../entries.ts';

/** As they come in a busy process: a hundred in each millisecond, which differ in their last characters only. */
function someIds(count: number): string[] {
  let state = 7;
  const nextId = createIds(() => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  });
  return Array.from({ length: count }, (_, i) => nextId(someTime + Math.floor(i / 100)));
}

const ids = someIds(100_000);

test.for([0.5, 0.1, 0.01, 0.001])('a share of %d of all ids is drawn, spread over all of them', (rate) => {
  const count = (from: number, to: number) => ids.slice(from, to).filter((id) => isDrawn(id, rate, 42)).length;
  const half = ids.length / 2;
  for (const [from, to] of [
    [0, half],
    [half, ids.length],
  ] as const) {
    // Five standard deviations.
    expect(Math.abs(count(from, to) - half * rate)).toBeLessThan(5 * Math.sqrt(half * rate * (1 - rate)));
  }
});

test('an id is drawn or not, whenever it is asked for; another salt draws others', () => {
  const drawn = (salt: number) => ids.filter((id) => isDrawn(id, 0.1, salt));
  expect(drawn(1)).toEqual(drawn(1));
  const first = new Set(drawn(1));
  const inBoth = drawn(2).filter((id) => first.has(id)).length;
  // As many as chance has it: 1,000 and five deviations.
  expect(Math.abs(inBoth - 1_000)).toBeLessThan(160);
});

test('neighbours in one millisecond do not tell about each other', () => {
  let both = 0;
  for (let i = 1; i < ids.length; i++) {
    if (isDrawn(ids[i - 1] as string, 0.1, 3) && isDrawn(ids[i] as string, 0.1, 3)) both++;
  }
  expect(Math.abs(both - 1_000)).toBeLessThan(200);
});

test('rate 1 draws all and rate 0 none', () => {
  expect(ids.every((id) => isDrawn(id, 1, 9))).toBe(true);
  expect(ids.some((id) => isDrawn(id, 0, 9))).toBe(false);
});

test('rates are read by outcome, and what is not named is recorded whole', () => {
  expect(parseSampleRates([])).toEqual({ allowed: 1, denied: 1 });
  expect(parseSampleRates(['allowed=0.01'])).toEqual({ allowed: 0.01, denied: 1 });
  expect(parseSampleRates(['denied=.5', 'allowed=0'])).toEqual({ allowed: 0, denied: 0.5 });
});

test.for(['0.1', 'allowed', 'allowed=', 'allowed=1.5', 'allowed=-1', 'allowed=1e-3', 'allow=1', 'denied=10%'])(
  'the rate "%s" is refused',
  (text) => {
    expect(() => parseSampleRates([text])).toThrow('is not a rate; write allowed=0.01');
  },
);

test('a rate that is given twice is refused', () => {
  expect(() => parseSampleRates(['allowed=0.1', 'allowed=0.2'])).toThrow('the rate of allowed is given twice');
});
