// Messages on their way to followers: a clock that deliveries move, and turns of the event loop that the test begins.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Inbox } from '../../../src/store/redis/inbox.ts';

let nowMs = 0;
/** What each delivery takes, in milliseconds. */
let tookMs = 0;
let heard: string[] = [];
let inbox: Inbox;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] });
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  heard = [];
  inbox = new Inbox((channel, text) => {
    heard.push(`${channel}${text}`);
    nowMs += tookMs;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const put = (channel: string, ...texts: readonly number[]) => {
  for (const text of texts) inbox.put(channel, String(text));
};
const nextTurn = () => void vi.advanceTimersToNextTimer();

test('a message is delivered at once while its turn has time', () => {
  tookMs = 0.5;
  put('a', 1, 2, 3, 4);
  expect(heard).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('what does not fit in a turn waits for the next ones, in order', () => {
  tookMs = 1;
  put('a', 1, 2, 3, 4, 5);
  expect(heard).toEqual(['a1', 'a2']);
  nextTurn();
  expect(heard).toEqual(['a1', 'a2', 'a3', 'a4']);
  put('a', 6);
  expect(heard).toHaveLength(4);
  nextTurn();
  expect(heard).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
  nextTurn();
  put('a', 7);
  expect(heard.at(-1)).toBe('a7');
});

test('one message waits for one of each other channel, however many those have', () => {
  tookMs = 1;
  put('noisy', ...Array.from({ length: 500 }, (_, i) => i));
  put('a', 1);
  put('b', 1);
  nextTurn();
  nextTurn();
  expect(heard.slice(2)).toEqual(['noisy2', 'a1', 'b1', 'noisy3']);
});

test('a message that takes long is the only one of its turn', () => {
  tookMs = 50;
  put('a', 1, 2);
  put('b', 1);
  expect(heard).toEqual(['a1']);
  nextTurn();
  expect(heard).toEqual(['a1', 'a2']);
  nextTurn();
  expect(heard).toEqual(['a1', 'a2', 'b1']);
});

test('who falls a thousand messages behind hears the newest only, and the others hear all of theirs', () => {
  tookMs = 1;
  put('noisy', ...Array.from({ length: 1_003 }, (_, i) => i));
  put('a', 1, 2);
  for (let turns = 0; turns < 3; turns++) nextTurn();
  expect(heard).toEqual(['noisy0', 'noisy1', 'noisy1002', 'a1', 'a2']);
});
