// Whose turn it is to load: the clock is a number, and loads end when the test says so.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { type LoadLane, LoadTurns } from '../../src/replica/load-turns.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

let roomInMs = 0;
/** Names of loads that run now, in the order in which they began. */
let running: string[] = [];
const ends = new Map<string, PromiseWithResolvers<void>>();

function turnsOf(slots: number, heavySlots = 1): LoadTurns {
  roomInMs = 0;
  running = [];
  return new LoadTurns({ slots, heavySlots, roomInMs: () => roomInMs, now: () => performance.now() });
}

/** Asks for a turn; the load runs until end(). */
function load(lane: LoadLane, name: string): Promise<void> {
  return lane.inTurn(async () => {
    running.push(name);
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    await end.promise.finally(() => running.splice(running.indexOf(name), 1));
  });
}

const settle = () => vi.advanceTimersByTimeAsync(0);

async function end(name: string, error?: Error): Promise<void> {
  if (error === undefined) ends.get(name)?.resolve();
  else ends.get(name)?.reject(error);
  await settle();
}

const nobodyAsks = () => false;
const garbage = new PosternError('STORE_CORRUPT', 'the test has written garbage');

describe('turns to load', () => {
  it('are as many as there are slots, and come in the order in which they were asked for', async () => {
    const turns = turnsOf(2);
    for (const name of ['a', 'b', 'c', 'd']) void load(turns.lane(nobodyAsks), name);
    await settle();
    expect([running, turns.running, turns.waiting]).toEqual([['a', 'b'], 2, 2]);
    await end('b');
    expect(running).toEqual(['a', 'c']);
    await end('a');
    expect([running, turns.waiting]).toEqual([['c', 'd'], 0]);
  });

  it('come first to those who are asked for, before the turn was asked for or after', async () => {
    const turns = turnsOf(1);
    void load(turns.lane(nobodyAsks), 'running');
    void load(turns.lane(nobodyAsks), 'nobody');
    const late = turns.lane(nobodyAsks);
    void load(late, 'late');
    void load(
      turns.lane(() => true),
      'asked',
    );
    await settle();
    late.hurry();
    const order: string[] = [];
    for (const _ of ['nobody', 'late', 'asked']) {
      await end(running[0] as string);
      order.push(running[0] as string);
    }
    // Each queue in turn: those that nobody waits for are not starved either.
    expect(order).toEqual(['asked', 'nobody', 'late']);
  });

  it('leave slots to others where a tenant fails over and over', async () => {
    const turns = turnsOf(2, 1);
    const bad = [turns.lane(() => true), turns.lane(() => true)];
    for (const [i, lane] of bad.entries()) {
      void load(lane, `bad${i}`).catch(() => {});
      await settle();
      await end(`bad${i}`, garbage);
    }
    for (const [i, lane] of bad.entries()) void load(lane, `again${i}`).catch(() => {});
    await settle();
    expect([running, turns.waiting]).toEqual([['again0'], 1]);
    void load(turns.lane(nobodyAsks), 'good');
    await settle();
    expect(running).toEqual(['again0', 'good']);
    await end('good');
    expect(running).toEqual(['again0']);
    await end('again0', garbage);
    expect(running).toEqual(['again1']);
  });

  it('come to one that loads again after four times as long as its last load took, and five seconds at most', async () => {
    const turns = turnsOf(2);
    const lane = turns.lane(nobodyAsks);
    void load(lane, 'short');
    await vi.advanceTimersByTimeAsync(100);
    await end('short');
    void load(lane, 'second');
    await vi.advanceTimersByTimeAsync(399);
    expect([running, turns.waiting]).toEqual([[], 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(running).toEqual(['second']);
    await vi.advanceTimersByTimeAsync(60_000);
    await end('second');
    void load(lane, 'third');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(running).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(running).toEqual(['third']);
  });

  it('hold nothing against a tenant whose store was away', async () => {
    const turns = turnsOf(2, 0);
    const lane = turns.lane(nobodyAsks);
    const lost = load(lane, 'lost').catch((error) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    await end('lost', new PosternError('STORE_UNAVAILABLE', 'away'));
    expect(await lost).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    void load(lane, 'again');
    await settle();
    expect(running).toEqual(['again']);
  });

  it('wait for room where a tenant has no graph yet, and pass by those who wait', async () => {
    const turns = turnsOf(2);
    const old = turns.lane(nobodyAsks);
    void load(old, 'old');
    await settle();
    await end('old');
    roomInMs = 1_000;
    void load(turns.lane(nobodyAsks), 'new');
    void load(old, 'reload');
    await settle();
    expect([running, turns.waiting]).toEqual([['reload'], 1]);
    roomInMs = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(running).toEqual(['reload', 'new']);
    turns.close();
  });
});
