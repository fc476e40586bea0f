/**
 * What is promised at 1,000,000 bindings (100,000 users, 10,000 groups, 500,000 objects, 1,000 roles): starting,
 * memory, changes and reloads, measured on the real command with a real Redis.
 */
import { join } from 'node:path';
import { timeVisibility } from '../commit-to-visible.ts';
import { median, percentile, type Row, thousands } from '../measure.ts';
import { pauseRow } from '../million/pause-row.ts';
import {
  type Comparison,
  changesPerSecond,
  checksPerSecond,
  compareWithChanges,
  compareWithReloads,
  formatLatencies,
  p99Ratio,
} from '../million/rounds.ts';
import { createSetting } from '../million/setting.ts';
import { type Starts, startFromDisk, startFromRedis } from '../million/starts.ts';

const commits = 500;
const changeRounds = 10;
const reloadRounds = 4;

export async function millionRows(directory: string): Promise<Row[]> {
  const setting = await createSetting();
  const socket = join(directory, 'million.sock');
  const starts = await startFromRedis(setting, socket, directory);
  const observed = starts.last;
  const { visibleMs, commitMs } = await timeVisibility(setting.store, observed.port, commits);
  const visibilityPauses = [await observed.pauses()];
  const changes = await compareWithChanges(setting, observed, socket, changeRounds);
  const reloads = await compareWithReloads(setting, observed, socket, reloadRounds);
  const idlePauses = [...changes.idlePauses, ...reloads.idlePauses];
  await observed.stop();
  const { followed, alone } = await startFromDisk(setting, socket, directory);
  await setting.close();
  return [
    startRow('from Redis', starts, 5),
    startRow('from the snapshot on disk, Redis there', followed, 1.5),
    startRow('from the snapshot on disk, Redis away', alone, 1.5),
    memoryRow(changes, reloads),
    visibilityRow(visibleMs, commitMs),
    checkRow(`while ${changesPerSecond} changes/s arrive`, changes, 2),
    checkRow('during a full reload', reloads, 3),
    pauseRow(
      new Map([
        ['starting', starts.pauses],
        ['starting from disk', [...followed.pauses, ...alone.pauses]],
        ['one change after another', visibilityPauses],
        ['idle', idlePauses],
        [`${changesPerSecond} changes/s`, changes.busyPauses],
        ['reloading', reloads.busyPauses],
      ]),
    ),
  ];
}

function startRow(from: string, { readyMs }: Starts, mostSeconds: number): Row {
  return {
    what: `cold start to ready ${from}, 1,000,000 bindings`,
    measured: `${seconds(median(readyMs))} (${readyMs.map(seconds).join(', ')})`,
    atLeast: `${mostSeconds} s`,
    kept: median(readyMs) <= mostSeconds * 1_000,
    how: `from before the process was started until it says that it is ready, median of ${readyMs.length}`,
  };
}

function memoryRow(changes: Comparison, reloads: Comparison): Row {
  const before = median(changes.residentBytes);
  const after = median(reloads.residentBytes.slice(1));
  const peak = Math.max(...reloads.peakBytes);
  return {
    what: 'resident memory, 1,000,000 bindings: steady before reloads / after / peak during',
    measured: `${megabytes(before)} / ${megabytes(after)} / ${megabytes(peak)}`,
    atLeast: '600 MB / 600 MB / 900 MB',
    kept: Math.max(before, after) <= 600e6 && peak <= 900e6,
    how: `VmRSS at the end of idle rounds of ${checksPerSecond} checks/s, median; the highest VmHWM of ${reloadRounds} reloads`,
  };
}

function visibilityRow(visibleMs: readonly number[], commitMs: readonly number[]): Row {
  const p99 = percentile(visibleMs, 0.99);
  return {
    what: 'commit to visible in a following sidecar, 1,000,000 bindings, p50 / p99',
    measured: `${percentile(visibleMs, 0.5).toFixed(1)} ms / ${p99.toFixed(1)} ms (the commit itself ${percentile(commitMs, 0.5).toFixed(1)} ms)`,
    atLeast: '15 ms (p99)',
    kept: p99 <= 15,
    how: `from before the commit until a Check with at_least, sent after it, is answered; ${commits} commits`,
  };
}

function checkRow(when: string, comparison: Comparison, most: number): Row {
  const { idle, busy, elsewhere } = comparison;
  const ratio = p99Ratio(busy, idle);
  const count = (rounds: Comparison['idle']) => thousands(rounds.flat().length);
  const besides =
    elsewhere.length === 0
      ? ''
      : `; the same changes to a tenant not served: ${p99Ratio(elsewhere, idle).toFixed(1)} times (${formatLatencies(elsewhere)})`;
  return {
    what: `Check p99 ${when}, 1,000,000 bindings, against idle`,
    measured: `${ratio.toFixed(1)} times (p50 / p99 / p99.9: ${formatLatencies(busy)} against ${formatLatencies(idle)})${besides}`,
    atLeast: `at most ${most} times`,
    kept: ratio <= most,
    how: `${checksPerSecond} checks/s of anyone about anything over the Unix socket, sent whether answers come or not; a client, a writer, Redis and the sidecar, each a process; ${idle.length} pairs of idle and busy in turn, ${count(idle)} and ${count(busy)} checks, medians of pairs; each busy time took ${seconds(median(comparison.busyMs))}`,
  };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
