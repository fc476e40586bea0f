/**
 * Spreads reloads over time where all followers of a tenant want one in the same moment, as after a restored backup or a
 * failover that lost commits. Redis serves one command at a time: a thousand loads at once end together, at the very
 * end, and hold up everything else until then; one after the other they take no longer, and half of them end in half
 * of the time. Called by redis-store.ts, for those who have a graph to answer from meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** What a load costs Redis, in milliseconds of its time: measured with 200,000 bindings, 0.29 s. */
const loadMs = 0.5;
const recordMs = 0.0015;
/** How much of its time loads may take, all together. */
const share = 0.8;
/** Followers come back within seconds of each other: whoever is early asks again how many there are. */
const askAgainMs = 500;

export interface ReloadSpread {
  /** How many follow the tenant now, this one included. */
  readonly followers: () => Promise<number>;
  /** Records of the tenant. */
  readonly records: number;
  /** Ends the wait; it rejects then. */
  readonly signal: AbortSignal;
  /** For tests: gives a number from 0 up to 1. */
  readonly random?: () => number;
  /** For tests. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Over how long so many reloads are spread, in milliseconds. */
export function spreadMs(followers: number, records: number): number {
  return followers <= 1 ? 0 : (followers * (loadMs + records * recordMs)) / share;
}

/** Resolves when it is this follower's turn: at any time within what all of them take. @throws what `followers` and `wait` do */
export async function awaitReload({
  followers,
  records,
  signal,
  random = Math.random,
  wait = delayed,
}: ReloadSpread): Promise<void> {
  const place = random();
  for (let waitedMs = 0; ; ) {
    const leftMs = place * spreadMs(await followers(), records) - waitedMs;
    if (leftMs <= 0) return;
    const ms = Math.min(leftMs, Math.max(askAgainMs, leftMs / 2));
    await wait(ms, signal);
    waitedMs += ms;
  }
}

function delayed(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal, ref: false });
}
