/**
 * Imported into a sidecar under measurement (`node --import`): notes whenever its main thread let a timer wait, and what
 * for. Whoever started the sidecar asks for the notes over its channel. It must never touch anything of the sidecar's.
 */
import { openSync, readSync } from 'node:fs';
import { type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** One wait of the timer, in milliseconds. */
export interface Pause {
  /** When it ended, since 1970. */
  readonly endMs: number;
  /** All of it. */
  readonly ms: number;
  /** The part in which the thread could have run, and had no processor: other processes and threads had them. */
  readonly waitedMs: number;
  /** The part in which it collected garbage. */
  readonly gcMs: number;
}

/** What was noted since the last answer. */
export interface PauseReport {
  /** How long ago that was. */
  readonly ms: number;
  /** For how much of it the thread waited for a processor, whether a pause came of it or not. */
  readonly waitedMs: number;
  readonly pauses: readonly Pause[];
  /** Garbage collections of the main thread. */
  readonly collections: readonly { readonly kind: string; readonly count: number; readonly longestMs: number }[];
}

const intervalMs = 1;
/** Shorter waits are not told. */
const leastMs = 3;
const kinds: Readonly<Record<number, string>> = { 1: 'minor', 2: 'minor', 4: 'major', 8: 'incremental', 16: 'weak' };

interface Collection {
  readonly kind: string;
  readonly startMs: number;
  readonly endMs: number;
}

// A worker inherits --import; only the thread that answers requests counts.
if (isMainThread && process.send !== undefined) probe();

function probe(): void {
  let pauses: Omit<Pause, 'gcMs'>[] = [];
  let collections: Collection[] = [];
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries().map(toCollection)));
  observer.observe({ entryTypes: ['gc'] });
  const waitedMs = createWaitClock();
  let lastMs = performance.now();
  let lastWaitedMs = waitedMs();
  let reported = { atMs: lastMs, waitedMs: lastWaitedMs };
  setInterval(() => {
    const nowMs = performance.now();
    const nowWaitedMs = waitedMs();
    const ms = nowMs - lastMs - intervalMs;
    if (ms >= leastMs)
      pauses.push({ endMs: performance.timeOrigin + nowMs, ms, waitedMs: Math.min(ms, nowWaitedMs - lastWaitedMs) });
    lastMs = nowMs;
    lastWaitedMs = nowWaitedMs;
  }, intervalMs).unref();
  process.on('message', () => {
    collections.push(...observer.takeRecords().map(toCollection));
    const now = { atMs: performance.now(), waitedMs: waitedMs() };
    const report: PauseReport = {
      ms: now.atMs - reported.atMs,
      waitedMs: now.waitedMs - reported.waitedMs,
      pauses: pauses.map((pause) => ({ ...pause, gcMs: overlapMs(pause, collections) })),
      collections: summarise(collections),
    };
    reported = now;
    pauses = [];
    collections = [];
    process.send?.(report);
  });
  // Where measuring failed, nobody is left who would end it.
  process.on('disconnect', () => process.exit());
  // The sidecar ends when it has drained, whether anybody may still ask or not.
  process.channel?.unref();
}

/** Milliseconds for which this thread waited for a processor since it began; 0 for ever where the system does not count. */
function createWaitClock(): () => number {
  const buffer = Buffer.alloc(128);
  let file: number;
  try {
    file = openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return () => 0;
  }
  return () => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 128, 0)).split(' ')[1]) / 1e6;
}

function toCollection(entry: PerformanceEntry): Collection {
  const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail;
  const startMs = performance.timeOrigin + entry.startTime;
  return { kind: kinds[kind] ?? String(kind), startMs, endMs: startMs + entry.duration };
}

function overlapMs({ endMs, ms }: { endMs: number; ms: number }, collections: readonly Collection[]): number {
  const startMs = endMs - ms;
  return collections.reduce(
    (sum, each) => sum + Math.max(0, Math.min(endMs, each.endMs) - Math.max(startMs, each.startMs)),
    0,
  );
}

function summarise(collections: readonly Collection[]): PauseReport['collections'] {
  const byKind = Map.groupBy(collections, ({ kind }) => kind);
  return [...byKind].map(([kind, of]) => ({
    kind,
    count: of.length,
    longestMs: Math.max(...of.map(({ startMs, endMs }) => endMs - startMs)),
  }));
}
