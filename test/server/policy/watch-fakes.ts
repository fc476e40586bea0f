/** A clock and the events of a watch, both moved by hand, for tests of watches. */
import type { WatchEvent } from '../../../src/admin/api.ts';
import { recheckMs, type WatchClock } from '../../../src/server/policy/recheck.ts';
import { aborted } from './fake-administration.ts';

/** A clock that stands still, and the timers that are set by it. */
export class FakeClock implements WatchClock {
  readonly timers = new Set<() => void>();
  /** How often it was asked to call. */
  readonly periods: number[] = [];
  #now = 0;
  now = () => this.#now;
  every = (ms: number, tick: () => void) => {
    this.periods.push(ms);
    this.timers.add(tick);
    return () => void this.timers.delete(tick);
  };
  /** Time passes, and no timer has run yet, as in a process that was busy. */
  pass(ms: number): void {
    this.#now += ms;
  }
  /** Time passes, and the timers run once. */
  tick(ms: number = recheckMs): void {
    this.pass(ms);
    for (const timer of [...this.timers]) timer();
  }
}

/** The events of a watch, as the test brings them about. */
export class Feed implements AsyncIterable<WatchEvent> {
  /** Events that were taken. */
  taken = 0;
  #number = 0;
  #pushed = Promise.withResolvers<void>();
  readonly #pending: WatchEvent[] = [];
  readonly #signal: () => AbortSignal;
  constructor(signal: () => AbortSignal) {
    this.#signal = signal;
  }
  push(): void {
    this.#number += 1;
    const revision = { epoch: 'e1', number: this.#number };
    this.#pending.push({ kind: 'changes', changeSet: { revision, changes: [], at: 0 } });
    this.#pushed.resolve();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void> {
    const end = aborted(this.#signal());
    while (!this.#signal().aborted) {
      const event = this.#pending.shift();
      if (event !== undefined) {
        this.taken += 1;
        yield event;
      } else await Promise.race([this.#pushed.promise, end]);
      if (this.#pending.length === 0) this.#pushed = Promise.withResolvers();
    }
  }
}
