/**
 * Feeds a verifier: all lines of files, series by series, or of a stream. It
 * only reads. Called by `postern audit verify`.
 */
import { messageOf, PosternError } from '../../model/errors.ts';
import { findLogFiles, type LogFile, readChunks } from '../log-files.ts';
import type { LogVerifier } from './log-verifier.ts';

/** What is told while it reads: how much is read, of how much; bytes of files, entries of streams. */
export interface Reading {
  readonly signal?: AbortSignal;
  readonly onTotal?: (total: number) => void;
  readonly onRead?: (more: number) => void;
  /** Waited for before it reads on. */
  readonly afterPart?: () => Promise<void> | undefined;
}

export interface RawEntry {
  /** The stream's own id. */
  readonly id: string;
  /** One line of JSON, without a newline. */
  readonly record: Buffer;
}

/** What reads streams as they are. */
export interface RawStreamClient {
  /** Entries after an id, oldest first. */
  readRaw(tenant: string, after: string, count: number): Promise<readonly RawEntry[]>;
  /** How many entries there are. */
  count(tenant: string): Promise<number>;
}

const pageEntries = 2_000;

/** How often files are looked for again that were rotated while they were read. */
const maxLooks = 5;

/** @throws PosternError STORE_UNAVAILABLE when a path cannot be read */
export async function verifyFiles(verifier: LogVerifier, paths: readonly string[], reading: Reading): Promise<void> {
  const known = new Map<string, LogFile>();
  for (let look = 0; look < maxLooks && reading.signal?.aborted !== true; look++) {
    const files = await findFiles(paths, known);
    if (look > 0 && !files.some(({ isMissed }) => isMissed)) break;
    if (look === 0) reading.onTotal?.(files.reduce((sum, { bytes }) => sum + bytes, 0));
    await verifyAll(verifier, files, reading);
  }
  for (const { path, offset, unfinished } of known.values()) {
    if (unfinished > 0) verifier.addUnfinished(path, offset, unfinished);
  }
  verifier.endSeries();
}

async function findFiles(paths: readonly string[], known: Map<string, LogFile>): Promise<readonly LogFile[]> {
  const found = new Set<LogFile>();
  for (const path of paths) {
    try {
      for (const file of await findLogFiles(path, known)) found.add(file);
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  return [...found];
}

async function verifyAll(verifier: LogVerifier, files: readonly LogFile[], reading: Reading): Promise<void> {
  for (const [i, file] of files.entries()) {
    if (i > 0 && files[i - 1]?.series !== file.series) verifier.endSeries();
    try {
      await verifyFile(verifier, file, reading);
    } catch (error) {
      throw unreadable(file.path, error);
    }
    if (reading.signal?.aborted === true) return;
  }
}

async function verifyFile(verifier: LogVerifier, file: LogFile, { signal, onRead, afterPart }: Reading): Promise<void> {
  for await (const { bytes, offset, isOverlong } of readChunks(file, onRead)) {
    if (isOverlong) verifier.addGarbage(file.path, offset, bytes, 'a line that is too long for a record');
    else verifier.addLines(file.path, bytes, offset);
    await afterPart?.();
    if (signal?.aborted === true) return;
  }
}

function unreadable(path: string, error: unknown): PosternError {
  // What is done with the lines may fail, too.
  if (error instanceof PosternError) return error;
  const message = `cannot read the decision log ${path}: ${messageOf(error)}`;
  return new PosternError('STORE_UNAVAILABLE', message, {}, error);
}

/**
 * @param after Where to begin, "0-0" for all.
 * @throws PosternError STORE_UNAVAILABLE
 */
export async function verifyStream(
  verifier: LogVerifier,
  client: RawStreamClient,
  tenant: string,
  after: string,
  { signal, onRead, afterPart }: Reading,
): Promise<void> {
  const source = `stream of tenant ${tenant}`;
  let at = after;
  while (signal?.aborted !== true) {
    const entries = await client.readRaw(tenant, at, pageEntries).catch((error: unknown) => {
      const message = `cannot read the decisions of tenant ${tenant}: ${messageOf(error)}`;
      throw new PosternError('STORE_UNAVAILABLE', message, {}, error);
    });
    for (const { id, record } of entries) {
      if (record.length === 0) verifier.addGarbage(source, id, record, 'an entry without a record');
      else verifier.addLine(source, id, record, 0, record.length);
    }
    onRead?.(entries.length);
    await afterPart?.();
    const last = entries.at(-1);
    if (last === undefined) break;
    at = last.id;
  }
  verifier.endSeries();
}
