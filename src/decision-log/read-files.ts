/**
 * Reads decision logs on disk: a file or a directory of several tenants and
 * instances, in the order of time, then what is appended, through rotations.
 * Used by the CLI. It only reads; a log that is being written is fine.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, PosternError } from '../model/errors.ts';
import { type ReadOptions, type ReadRecord, wanted } from './filter.ts';
import { findLogFiles, type LogFile, readLines } from './log-files.ts';
import { mergeByTime } from './merge.ts';
import { linesBackward, skipToEnd } from './newest-lines.ts';

/** How often a followed log is looked at: what notifies of changes differs too much between platforms. */
const pollMs = 100;
/** How far the clocks of a sidecar and of the disk may be apart. */
export const clockSkewMs = 10 * 60_000;
/** How often a log that is not followed is looked at again for files that were rotated while it was read. */
const maxLooks = 5;

/**
 * The records of a path, in order of time. Ends at the end, or when the signal is aborted where it follows.
 * @throws PosternError STORE_UNAVAILABLE when the path cannot be read at the start and is not followed
 */
export async function* readFiles(path: string, options: ReadOptions): AsyncGenerator<ReadRecord> {
  const known = new Map<string, LogFile>();
  yield* readBacklog(path, known, options);
  let problem = '';
  while (options.follow && options.signal?.aborted !== true) {
    await delay(pollMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => {});
    try {
      yield* readNew(path, known, options);
      if (problem !== '') options.onRecovered?.();
      problem = '';
    } catch (error) {
      const message = messageOf(error);
      if (message !== problem) options.onProblem?.(message);
      problem = message;
    }
  }
}

async function* readBacklog(path: string, known: Map<string, LogFile>, options: ReadOptions) {
  try {
    if (options.from === 'start') {
      await passOverEarlier(path, known, options);
      let look = 0;
      do yield* readNew(path, known, options);
      while (!options.follow && ++look < maxLooks && isAnyMissed(known, options));
      return;
    }
    const files = await findLogFiles(path, known);
    for (const file of files) await skipToEnd(file);
    if (options.from !== 'end') yield* await readNewest(files, options.from, options);
  } catch (error) {
    const message = `cannot read the decision log ${path}: ${messageOf(error)}`;
    if (!options.follow) throw new PosternError('STORE_UNAVAILABLE', message, {}, error);
    options.onProblem?.(message);
  }
}

/** What was written last before a time holds nothing from then on: a record is made before it is written. */
async function passOverEarlier(path: string, known: Map<string, LogFile>, options: ReadOptions): Promise<void> {
  if (options.filter?.since === undefined) return;
  for (const file of await findLogFiles(path, known)) if (isEarlier(file, options)) await skipToEnd(file);
}

function isEarlier({ modifiedMs }: LogFile, { filter }: ReadOptions): boolean {
  return filter?.since !== undefined && modifiedMs < Date.parse(filter.since) - clockSkewMs;
}

function isAnyMissed(known: ReadonlyMap<string, LogFile>, options: ReadOptions): boolean {
  return [...known.values()].some((file) => file.isMissed && !isEarlier(file, options));
}

/** The newest records that match, oldest first: of each series as many, and of those the newest by their time. */
async function readNewest(files: readonly LogFile[], count: number, options: ReadOptions): Promise<ReadRecord[]> {
  if (count === 0) return [];
  const series = [...Map.groupBy(files, (file) => file.series).values()];
  const found = await Promise.all(series.map((its) => readBackward(its, count, options)));
  const newest: ReadRecord[] = [];
  while (newest.length < count) {
    const heads = found.filter((records) => records.length > 0);
    const [first] = heads;
    if (first === undefined) break;
    const latest = heads.reduce((a, b) => ((b[0]?.record.time ?? '') > (a[0]?.record.time ?? '') ? b : a), first);
    newest.push(latest.shift() as ReadRecord);
  }
  return newest.reverse();
}

async function readBackward(files: readonly LogFile[], count: number, options: ReadOptions): Promise<ReadRecord[]> {
  const found: ReadRecord[] = [];
  for (const file of files.toReversed()) {
    for await (const line of linesBackward(file)) {
      const read = wanted(line, file.path, options);
      if (read !== undefined) found.push(read);
      if (found.length === count) return found;
    }
  }
  return found;
}

/** What is new in all files, each series in its own order, series merged by time. */
async function* readNew(path: string, known: Map<string, LogFile>, options: ReadOptions): AsyncGenerator<ReadRecord> {
  const series = Map.groupBy(await findLogFiles(path, known), (file) => file.series);
  const sources = [...series.values()].map((files) => readSeries(files, options));
  yield* mergeByTime(sources, options.signal);
}

async function* readSeries(files: readonly LogFile[], options: ReadOptions): AsyncGenerator<ReadRecord> {
  for (const file of files) {
    if (isEarlier(file, options)) continue;
    for await (const line of readLines(file)) {
      const read = wanted(line.text, line.where, options);
      if (read !== undefined) yield read;
    }
  }
}
