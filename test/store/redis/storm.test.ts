// A thousand followers lose their Redis in the same moment. Their real code runs on a clock of the test, with seeded
// chance, against a model of a Redis: when it hears from them, and how long it takes to load them all again.
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RedisFollower } from '../../../src/store/redis/follow.ts';
import { awaitReload } from '../../../src/store/redis/reload-spread.ts';

const fleet = 1000;
const windowMs = 100;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  vi.spyOn(Math, 'random').mockImplementation(seeded(20_261_128));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A Redis of which only connecting and subscribing is modelled. */
class ModelServer {
  readonly attemptsMs: number[] = [];
  readonly clients = new Set<ModelClient>();
  isDown = false;

  /** Every connection ends in the same moment. */
  cut(): void {
    for (const client of [...this.clients]) client.disconnect();
  }
}

class ModelClient extends EventEmitter {
  status = 'wait';
  readonly #server: ModelServer;

  constructor(server: ModelServer) {
    super();
    this.#server = server;
  }

  async connect(): Promise<void> {
    this.#server.attemptsMs.push(performance.now());
    await later(1);
    if (this.#server.isDown) throw new Error('connect ECONNREFUSED');
    this.status = 'ready';
    this.#server.clients.add(this);
  }
  subscribe = () => later(1);
  ping = () => later(1);
  disconnect(): void {
    if (!this.#server.clients.delete(this)) return;
    this.status = 'end';
    this.emit('end');
  }
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function startFleet(onConnected: (follower: number) => void) {
  const server = new ModelServer();
  const followers = Array.from({ length: fleet }, (_, i) => {
    const follower = new RedisFollower({
      createClient: () => new ModelClient(server) as unknown as Redis,
      heartbeatMs: 2000,
      onSilence: () => {},
      describe: (error) => error.message,
      toRefusal: () => undefined,
    });
    const nothing = () => {};
    const listener = { onChangeSet: nothing, onHead: nothing, onDisconnected: nothing };
    follower.follow('acme', { ...listener, onConnected: () => onConnected(i) });
    return follower;
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.clients.size).toBe(fleet);
  return { server, followers };
}

/** The most of these that fall into any window of a tenth of a second. */
function mostAtOnce(timesMs: readonly number[]): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  let first = 0;
  let most = 0;
  sorted.forEach((ms, last) => {
    while (ms - (sorted[first] as number) >= windowMs) first++;
    most = Math.max(most, last - first + 1);
  });
  return most;
}

test.for<[awayMs: number, most: number]>([
  [0, 160],
  [1_000, 160],
  [10_000, 160],
  [60_000, 160],
])(
  'after %i ms without it, a thousand come back in five seconds, and never more than %i in a tenth of one',
  async ([awayMs, most]) => {
    let back = 0;
    const { server, followers } = await startFleet(() => back++);
    server.attemptsMs.length = 0;
    back = 0;
    server.isDown = awayMs > 0;
    server.cut();
    await vi.advanceTimersByTimeAsync(awayMs);
    server.isDown = false;
    await vi.advanceTimersByTimeAsync(5_100);
    expect(back).toBe(fleet);
    const attempts = mostAtOnce(server.attemptsMs);
    console.info(`away for ${awayMs} ms: at most ${attempts} attempts in ${windowMs} ms`);
    expect(attempts).toBeLessThanOrEqual(most);
    for (const follower of followers) follower.close();
  },
);

/** Loads share the time of a Redis: each gets its part of every step. */
class ModelLoads {
  readonly #workMs: number;
  readonly #left = new Map<number, number>();
  readonly endedMs: number[] = [];
  most = 0;

  constructor(workMs: number) {
    this.#workMs = workMs;
  }

  begin(follower: number): void {
    this.#left.set(follower, this.#workMs);
    this.most = Math.max(this.most, this.#left.size);
  }

  step(ms: number): void {
    const each = ms / this.#left.size;
    for (const [follower, left] of this.#left) {
      if (left > each) this.#left.set(follower, left - each);
      else {
        this.#left.delete(follower);
        this.endedMs.push(performance.now());
      }
    }
  }
}

test.for<[records: number, most: number]>([
  [1_600_000, 25],
  [10_000, 40],
])(
  'of a thousand that have to load %i records again never more than %i are at it at once, and half are done before anyone would be if all were',
  async ([records, most]) => {
    const workMs = 0.5 + records * 0.0015;
    const loads = new ModelLoads(workMs);
    let reloading = false;
    let back = 0;
    const signal = new AbortController().signal;
    const { server, followers } = await startFleet((follower) => {
      if (!reloading) return;
      back++;
      const spread = { followers: async () => back, records, signal, wait: later };
      void awaitReload(spread).then(() => loads.begin(follower));
    });
    reloading = true;
    const beganMs = performance.now();
    server.cut();
    const stepMs = Math.min(50, workMs / 2);
    for (let ms = 0; loads.endedMs.length < fleet && ms < fleet * workMs * 3; ms += stepMs) {
      await vi.advanceTimersByTimeAsync(stepMs);
      loads.step(stepMs);
      // All are back; their heartbeats say nothing here.
      if (back === fleet) for (const follower of followers.splice(0)) follower.close();
    }
    const ended = loads.endedMs.map((ms) => ms - beganMs).sort((a, b) => a - b);
    const [half = 0, last = 0] = [ended[fleet / 2], ended.at(-1)];
    console.info(
      `${records} records: at most ${loads.most} at once; half after ${Math.round(half)} ms, all after ${Math.round(last)} ms`,
    );
    expect(ended).toHaveLength(fleet);
    expect(loads.most).toBeLessThanOrEqual(most);
    // At once, all of them would end after fleet * workMs.
    expect(half).toBeLessThan(fleet * workMs * 0.7);
    expect(last).toBeLessThan(fleet * workMs * 1.3 + 1_000);
  },
);

/** Mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
