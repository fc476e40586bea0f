// Long work is done in slices, in turn, and dropped when nobody waits for it. The clock and the turns are the test's.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Steps } from '../../src/engine/steps.ts';
import { LongWork } from '../../src/server/long-work.ts';

const wanted = () => false;

function setUp() {
  let nowMs = 0;
  const turns: (() => void)[] = [];
  const longWork = new LongWork({ now: () => nowMs, nextTurn: (callback) => void turns.push(callback) });
  const done: string[] = [];
  /** Steps of a millisecond each. */
  function* steps(name: string, count: number): Steps<string> {
    for (let i = 0; i < count; i++) {
      nowMs += 1;
      done.push(name);
      yield;
    }
    return name;
  }
  const turn = () => {
    const [next] = turns.splice(0, 1);
    next?.();
    return next !== undefined;
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { longWork, steps, turn, pass, done };
}

/** "aaab" as "3a 1b". */
function runs(done: readonly string[]): string {
  return done
    .join('')
    .replace(/(.)\1*/g, (run) => `${run.length}${run[0]} `)
    .trim();
}

describe('long work', () => {
  it('that is done in one step is answered at once', () => {
    const { longWork, steps } = setUp();
    expect(longWork.finish(steps('a', 0), wanted)).toBe('a');
  });

  it('gets five milliseconds of a turn, and goes on in the next', async () => {
    const { longWork, steps, turn, done } = setUp();
    const answer = longWork.finish(steps('a', 12), wanted);
    expect(done).toHaveLength(6);
    turn();
    expect(done).toHaveLength(11);
    turn();
    expect(await answer).toBe('a');
  });

  it('of several callers shares a turn: later ones do their first step, and wait for theirs', async () => {
    const { longWork, steps, turn, done } = setUp();
    const answers = ['a', 'b', 'c'].map((name) => longWork.finish(steps(name, 8), wanted));
    expect(runs(done)).toBe('6a 1b 1c');
    while (turn());
    expect(runs(done)).toBe('6a 1b 1c 2a 3b 5c 4b 2c');
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
  });

  it('that nobody waits for any more is dropped before its next slice', async () => {
    const { longWork, steps, turn, done } = setUp();
    let gone = false;
    const answer = longWork.finish(steps('a', 100), () => gone);
    gone = true;
    turn();
    await expect(answer).rejects.toMatchObject({ code: 'CANCELLED' });
    while (turn());
    expect(done).toHaveLength(6);
  });

  it('that fails in a later step fails for its caller alone', async () => {
    const { longWork, steps, turn } = setUp();
    const failing = (function* (): Steps<string> {
      yield* steps('a', 7);
      throw new TypeError('as asked');
    })();
    const answers = [longWork.finish(failing, wanted), longWork.finish(steps('b', 7), wanted)];
    const settled = Promise.allSettled(answers);
    while (turn());
    expect(await settled).toMatchObject([{ reason: { message: 'as asked' } }, { value: 'b' }]);
  });

  it('tells what it has cost lately to answer', () => {
    const { longWork, steps, turn } = setUp();
    for (let i = 0; i < 100; i++) void longWork.finish(steps('a', i < 50 ? 20 : 2), wanted);
    while (turn());
    expect(longWork.meanMs).toBeGreaterThan(2);
    for (let i = 0; i < 100; i++) {
      void longWork.finish(steps('a', 2), wanted);
      while (turn());
    }
    expect(longWork.meanMs).toBeCloseTo(2, 1);
  });

  it('tells how long one takes after another, with what else is done between turns', async () => {
    const { longWork, steps, turn, pass } = setUp();
    const callers = 4;
    const turns = 400;
    let answered = 0;
    let sum = 0;
    const ask = async () => {
      await longWork.finish(steps('a', 8), wanted);
      answered++;
      await ask();
    };
    for (let i = 0; i < callers; i++) void ask();
    for (let i = 0; i < turns; i++) {
      pass(7);
      turn();
      await nextTurn();
      sum += longWork.meanMs;
    }
    // Each turn takes as long, and some milliseconds more for what is asked in it.
    const perAnswer = (turns * (7 + 5)) / answered;
    expect(sum / turns).toBeGreaterThan(perAnswer * 0.8);
    expect(sum / turns).toBeLessThan(perAnswer * 1.5);
  });

  it('asks for no turn when there is nothing to do', () => {
    const { longWork, steps, turn } = setUp();
    void longWork.finish(steps('a', 7), wanted);
    while (turn());
    expect(turn()).toBe(false);
  });
});
