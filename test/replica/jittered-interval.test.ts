// What a fleet that began at once does at the same interval.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startJitteredInterval } from '../../src/replica/jittered-interval.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a thousand that began at once spread over half an interval with their first turn, and never meet again', () => {
  const turns: number[][] = Array.from({ length: 1_000 }, () => []);
  const beganMs = Date.now();
  const stops = turns.map((times) => startJitteredInterval(() => times.push(Date.now() - beganMs), 30_000));
  vi.advanceTimersByTime(300_000);
  for (const stop of stops) stop();
  for (const times of turns) {
    expect(times.length).toBeGreaterThanOrEqual(7);
    times.forEach((time, i) => {
      const pause = time - (times[i - 1] ?? 0);
      expect(pause).toBeGreaterThanOrEqual(22_499);
      expect(pause).toBeLessThanOrEqual(37_500);
    });
  }
  for (const round of [0, 5]) {
    const perSecond = new Map<number, number>();
    for (const times of turns) {
      const second = Math.floor((times[round] as number) / 1_000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    // An even spread over 15 s or more is 67 a second; all at once would be 1,000.
    expect(Math.max(...perSecond.values())).toBeLessThan(140);
  }
});

test('a stopped one does nothing more, and may be stopped twice', () => {
  let turns = 0;
  const stop = startJitteredInterval(() => {
    turns++;
  }, 1_000);
  vi.advanceTimersByTime(5_000);
  const before = turns;
  stop();
  stop();
  vi.advanceTimersByTime(5_000);
  expect([before > 2, turns]).toEqual([true, before]);
  expect(vi.getTimerCount()).toBe(0);
});
