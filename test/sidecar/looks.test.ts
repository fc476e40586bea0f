import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Looks } from '../../src/sidecar/looks.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Looks that end when the test says so. */
function looks(): { looks: Looks; began: PromiseWithResolvers<void>[] } {
  const began: PromiseWithResolvers<void>[] = [];
  const look = () => {
    const one = Promise.withResolvers<void>();
    began.push(one);
    return one.promise;
  };
  return { looks: new Looks(look, 1_000), began };
}

test('who asks while one runs gets the next one, and shares it', async () => {
  const { looks: its, began } = looks();
  const first = its.now();
  const [second, third] = [its.now(), its.now()];
  expect(began).toHaveLength(1);
  began[0]?.resolve();
  await first;
  await vi.waitFor(() => expect(began).toHaveLength(2));
  let answered = false;
  void second.then(() => {
    answered = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(answered).toBe(false);
  began[1]?.resolve();
  await Promise.all([second, third]);
  expect(began).toHaveLength(2);
});

test('a look that fails fails those who share it, and the next one begins', async () => {
  const { looks: its, began } = looks();
  const [first, second] = [its.now(), its.now()];
  began[0]?.reject(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await vi.waitFor(() => expect(began).toHaveLength(2));
  began[1]?.resolve();
  await second;
});

test('what anybody may cause happens once a second, whoever asks', async () => {
  const { looks: its, began } = looks();
  const first = its.soon();
  began[0]?.resolve();
  await first;
  const asked = Array.from({ length: 100 }, () => its.soon());
  await vi.advanceTimersByTimeAsync(999);
  expect(began).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2);
  expect(began).toHaveLength(2);
  began[1]?.resolve();
  await Promise.all(asked);
});
