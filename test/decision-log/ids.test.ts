import fc from 'fast-check';
import { decodeTime, isValid } from 'ulid';
import { expect, test } from 'vitest';
import { createIds, timeOfId } from '../../src/decision-log/ids.ts';

const someMs = 1_767_225_600_000;

test('ids are valid, unique and ascending, whatever the clock does', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 50,
  });
  fc.assert(
    fc.property(steps, (moves) => {
      const next = createIds();
      let now = someMs;
      let last = '';
      for (const [move, count] of moves) {
        now += move;
        for (let i = 0; i < count; i++) {
          const id = next(now);
          expect(isValid(id)).toBe(true);
          expect(id > last).toBe(true);
          last = id;
        }
      }
    }),
  );
});

test('an id carries the time at which it was made', () => {
  const next = createIds();
  expect(decodeTime(next(someMs))).toBe(someMs);
  expect(decodeTime(next(someMs))).toBe(someMs);
  expect(decodeTime(next(someMs + 1))).toBe(someMs + 1);
});

test('an id carries the latest time seen when the clock went back', () => {
  const next = createIds();
  next(someMs);
  expect(decodeTime(next(someMs - 1_000))).toBe(someMs);
});

test.for([
  { random: 0, least: 2 ** 20 },
  { random: 0.999, least: 2 ** 19 },
])('at least $least ids fit into a millisecond when the random part is $random, and then it goes on', (given) => {
  const next = createIds(() => given.random);
  let last = '';
  for (let i = 0; i < given.least; i++) {
    const id = next(someMs);
    if (id <= last) throw new Error(`id ${i} is ${id}, after ${last}`);
    last = id;
  }
  expect(decodeTime(last)).toBe(someMs);
  const beyond = next(someMs);
  expect(beyond > last).toBe(true);
  expect(isValid(beyond)).toBe(true);
  expect([someMs, someMs + 1]).toContain(decodeTime(beyond));
});

test('two processes in the same millisecond give different ids', () => {
  const [one, other] = [createIds(), createIds()];
  const ids = new Set(Array.from({ length: 1_000 }, () => [one(someMs), other(someMs)]).flat());
  expect(ids.size).toBe(2_000);
});

test('an id says when it was made', () => {
  expect(timeOfId(createIds()(1_780_000_000_123))).toBe(1_780_000_000_123);
  expect(timeOfId('not an id')).toBe(0);
});
