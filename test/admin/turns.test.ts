// One at a time and in order, whatever fails; and no line without an end.
import { expect, test } from 'vitest';
import { createTurns } from '../../src/admin/turns.ts';

const key = {};

test('work for one key runs one after the other, in the order in which it was given', async () => {
  const inTurn = createTurns(10);
  const told: string[] = [];
  const work = (name: string) => async () => {
    told.push(`${name} begins`);
    await Promise.resolve();
    told.push(`${name} ends`);
  };
  await Promise.all([inTurn(key, work('a')), inTurn(key, work('b'))]);
  expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('what fails is told to whoever asked, and the next one runs', async () => {
  const inTurn = createTurns(10);
  const failing = inTurn(key, () => Promise.reject(new Error('no')));
  const next = inTurn(key, async () => 'done');
  await expect(failing).rejects.toThrow('no');
  await expect(next).resolves.toBe('done');
});

test('a line that is full refuses, and takes more when it has moved on', async () => {
  const inTurn = createTurns(2);
  const gate = Promise.withResolvers<void>();
  const first = inTurn(key, () => gate.promise);
  const second = inTurn(key, async () => 'second');
  await expect(inTurn(key, async () => 'third')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  await expect(inTurn({}, async () => 'of another key')).resolves.toBe('of another key');
  gate.resolve();
  await first;
  await expect(second).resolves.toBe('second');
  await expect(inTurn(key, async () => 'later')).resolves.toBe('later');
});
