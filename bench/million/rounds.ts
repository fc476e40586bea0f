/**
 * Check latencies while something goes on, against the idle time just before it. Client, writer, Redis and sidecar
 * share the processors, so that pairs are measured close together, and only ratios within a pair count.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckTimes } from '../check-client.ts';
import { type Helper, startHelper } from '../helper.ts';
import { median, percentile, ratios } from '../measure.ts';
import type { PauseReport } from '../pause-probe.ts';
import type { Observed } from './observed.ts';
import { bindings, type Setting } from './setting.ts';

export const checksPerSecond = 500;
export const changesPerSecond = 100;
const warmUpMs = 4_000;
const idleMs = 2_000;
const changesMs = 2_000;
/** How long the sidecar may still apply changes after the writer has stopped. */
const mostBehindMs = 2_000;
/** How long pauses are still a reload's after it: the old graph is collected then. */
const afterReloadMs = 1_500;

/** Latencies of one kind of round, one list a round. */
type Rounds = readonly (readonly number[])[];

export interface Comparison {
  readonly idle: Rounds;
  readonly busy: Rounds;
  /** The same changes to a tenant that the sidecar does not serve: what the rest of the machine does to a check; empty for reloads. */
  readonly elsewhere: Rounds;
  /** What was noted in each round. */
  readonly idlePauses: readonly PauseReport[];
  readonly busyPauses: readonly PauseReport[];
  /** Resident bytes at the end of each idle round. */
  readonly residentBytes: readonly number[];
  /** The most resident bytes in each busy round. */
  readonly peakBytes: readonly number[];
  /** How long each busy round took, in milliseconds. */
  readonly busyMs: readonly number[];
}

/** @throws Error where a check failed, or the sidecar did not apply what was committed */
export async function compareWithChanges(
  setting: Setting,
  sidecar: Observed,
  socket: string,
  rounds: number,
): Promise<Comparison> {
  const args = [setting.redisUrl, String(changesPerSecond), String(bindings)];
  const writer = startHelper('bench/writer.ts', ...args);
  const writerElsewhere = startHelper('bench/writer.ts', ...args, 'elsewhere');
  const busy = async () => {
    const revision = async () => (await sidecar.metrics()).get('postern_snapshot_revision') ?? 0;
    const before = await revision();
    const committed = await writeFor(writer);
    return async () => {
      const stopped = performance.now();
      while ((await revision()) < before + committed) {
        if (performance.now() - stopped > mostBehindMs)
          throw new Error(`of ${committed} commits some were not applied`);
      }
    };
  };
  const elsewhere = async () => {
    await writeFor(writerElsewhere);
  };
  const comparison = await compare(sidecar, socket, rounds, busy, elsewhere);
  await Promise.all([writer.stop(), writerElsewhere.stop()]);
  return comparison;
}

/** @returns how many commits were made */
async function writeFor(writer: Helper): Promise<number> {
  await writer.ask('start');
  await delay(changesMs);
  const committed = (await writer.ask('stop')) as number;
  if (committed < (changesPerSecond * changesMs) / 1_000 / 1.1) throw new Error(`only ${committed} commits were made`);
  return committed;
}

/** @throws Error where a check failed, or the sidecar did not reload */
export function compareWithReloads(
  setting: Setting,
  sidecar: Observed,
  socket: string,
  rounds: number,
): Promise<Comparison> {
  return compare(sidecar, socket, rounds, async () => {
    const before = (await sidecar.metrics()).get('postern_snapshot_loads_total') ?? 0;
    const loaded = sidecar.logged('policy loaded');
    await setting.beginEpoch();
    await loaded;
    return async () => {
      const loads = ((await sidecar.metrics()).get('postern_snapshot_loads_total') ?? 0) - before;
      if (loads !== 1) throw new Error(`after one reload the sidecar counts ${loads}`);
      await delay(afterReloadMs);
    };
  });
}

/**
 * @param busy Resolves when what goes on is over, with what has to be done and looked at after that.
 * @param elsewhere The same where the sidecar has nothing to do with it.
 */
async function compare(
  sidecar: Observed,
  socket: string,
  rounds: number,
  busy: () => Promise<() => Promise<void>>,
  elsewhere?: () => Promise<void>,
): Promise<Comparison> {
  const client = startHelper('bench/check-client.ts', socket, String(checksPerSecond), String(bindings));
  const idleTimes: (readonly number[])[] = [];
  const busyTimes: (readonly number[])[] = [];
  const elsewhereTimes: (readonly number[])[] = [];
  const idlePauses: PauseReport[] = [];
  const busyPauses: PauseReport[] = [];
  const residentBytes: number[] = [];
  const peakBytes: number[] = [];
  const busyMs: number[] = [];
  await during(client, () => delay(warmUpMs));
  for (let round = 0; round < rounds; round++) {
    await sidecar.pauses();
    idleTimes.push((await during(client, () => delay(idleMs))).latenciesMs);
    residentBytes.push(sidecar.residentBytes());
    idlePauses.push(await sidecar.pauses());
    sidecar.peakBytes();
    const startedMs = performance.now();
    let after = async () => {};
    const times = await during(client, async () => {
      after = await busy();
      busyMs.push(performance.now() - startedMs);
    });
    busyTimes.push(times.latenciesMs);
    await after();
    peakBytes.push(sidecar.peakBytes());
    busyPauses.push(await sidecar.pauses());
    if (elsewhere !== undefined) elsewhereTimes.push((await during(client, elsewhere)).latenciesMs);
  }
  await client.stop();
  const times = { idle: idleTimes, busy: busyTimes, elsewhere: elsewhereTimes };
  return { ...times, idlePauses, busyPauses, residentBytes, peakBytes, busyMs };
}

async function during(client: Helper, work: () => Promise<void>): Promise<CheckTimes> {
  await client.ask('start');
  await work();
  const times = (await client.ask('stop')) as CheckTimes;
  if (times.failed > 0) throw new Error(`${times.failed} checks failed`);
  return times;
}

/** How many times the 99th percentile of other rounds that of some is: the median of pairs. */
export function p99Ratio(some: Rounds, others: Rounds): number {
  const p99 = (rounds: Rounds) => rounds.map((round) => percentile(round, 0.99));
  return median(ratios(p99(some), p99(others)));
}

/** "0.31 / 0.92 / 2.11 ms": p50, p99 and p99.9, each the median of rounds. */
export function formatLatencies(rounds: Rounds): string {
  return `${[0.5, 0.99, 0.999].map((share) => median(rounds.map((round) => percentile(round, share))).toFixed(2)).join(' / ')} ms`;
}
