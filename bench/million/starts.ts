/** Starting over and over: from Redis with nothing on disk, and from a snapshot on disk with Redis there and away. */
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { PauseReport } from '../pause-probe.ts';
import { type Observed, startObserved } from './observed.ts';
import type { Setting } from './setting.ts';

const starts = 3;

export interface Starts {
  /** From before the process was started until it said that it is ready, of each start. */
  readonly readyMs: readonly number[];
  /** What was noted between listening and ready. */
  readonly pauses: readonly PauseReport[];
}

/** @returns The last sidecar too, which is still running. */
export async function startFromRedis(
  setting: Setting,
  socket: string,
  directory: string,
): Promise<Starts & { readonly last: Observed }> {
  let last: Observed | undefined;
  const readyMs: number[] = [];
  const pauses: PauseReport[] = [];
  for (let start = 0; start < starts; start++) {
    await last?.stop();
    last = await startObserved(...flagsOf(setting, socket, await mkdtemp(join(directory, 'snapshots-'))));
    readyMs.push(last.readyMs);
    pauses.push(await last.pauses());
  }
  return { readyMs, pauses, last: last as Observed };
}

/** Ends Redis. */
export async function startFromDisk(
  setting: Setting,
  socket: string,
  directory: string,
): Promise<{ readonly followed: Starts; readonly alone: Starts }> {
  const snapshots = await mkdtemp(join(directory, 'snapshots-'));
  const flags = flagsOf(setting, socket, snapshots);
  const writer = await startObserved(...flags, '--log-level=debug');
  const saved = writer.logged('policy saved on disk');
  if (!existsSync(join(snapshots, 'default.snapshot'))) await saved;
  await writer.stop();
  const followed = await startAgain(flags);
  await setting.endRedis();
  return { followed, alone: await startAgain(flags) };
}

async function startAgain(flags: readonly string[]): Promise<Starts> {
  const readyMs: number[] = [];
  const pauses: PauseReport[] = [];
  for (let start = 0; start < starts; start++) {
    const sidecar = await startObserved(...flags);
    readyMs.push(sidecar.readyMs);
    pauses.push(await sidecar.pauses());
    if (((await sidecar.metrics()).get('postern_snapshot_revision') ?? 0) === 0) throw new Error('there is no policy');
    await sidecar.stop();
  }
  return { readyMs, pauses };
}

function flagsOf({ redisUrl }: Setting, socket: string, snapshots: string): string[] {
  return ['--redis', redisUrl, '--socket', socket, '--snapshot-dir', snapshots];
}
