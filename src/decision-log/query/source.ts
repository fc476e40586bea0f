/**
 * Where the records of a tenant are read back: the Redis streams of all sidecars, or the files of one. Made by the
 * parts list from what the sink of the same process writes to; called by query-log.ts and tail-logs.ts. A source only reads.
 */
import { messageOf, PosternError } from '../../model/errors.ts';
import type { ReadOptions, ReadRecord } from '../filter.ts';

/** A line, and where it ends. */
export interface PlacedLine {
  readonly text: string;
  /** Right behind the line; opaque to whoever asks. */
  readonly position: string;
}

/** Where to begin: behind a position, or where records of a time can be. */
export type ScanStart = { readonly after: string } | { readonly sinceMs: number };

export interface LogSource {
  /**
   * The lines of a tenant, in the order of the log, up to its end, in small batches; lines of earlier times may come along.
   * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT, LIST_CHANGED (what held the position is gone)
   */
  scan(tenant: string, start: ScanStart): AsyncGenerator<readonly PlacedLine[], void>;
  /** Up to `count` lines that end at a position or before. @throws what scan throws */
  before(tenant: string, position: string, count: number): Promise<readonly string[]>;
  /** Goes on through everything that can be mended, and tells `onProblem` of it; ends when the signal is aborted. */
  follow(tenant: string, options: ReadOptions): AsyncGenerator<ReadRecord, void>;
}

/** The error of a position that no source has given. */
export function noPosition(): PosternError {
  return new PosternError('INVALID_PAGE_TOKEN', 'page_token is not one that this sidecar gave; leave it out to start', {
    field: 'page_token',
  });
}

/** @throws PosternError STORE_UNAVAILABLE for everything that is no PosternError */
export async function attempt<T>(tenant: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PosternError) throw error;
    throw new PosternError('STORE_UNAVAILABLE', `cannot read the decisions of tenant ${tenant}: ${messageOf(error)}`);
  }
}
