/**
 * Which records a reader wants, and how all readers are asked. Gap records pass
 * every filter but that of the tenant: whoever reads a part of the log must
 * still see that something is missing.
 */
import { messageOf } from '../model/errors.ts';
import { typeOf } from '../model/names.ts';
import { type LogRecord, parseRecord } from './record.ts';

/** All that is given must hold; names are compared exactly. */
export interface RecordFilter {
  readonly allowed?: boolean;
  readonly tenant?: string;
  readonly subject?: string;
  readonly action?: string;
  /** The type of the object. */
  readonly type?: string;
  readonly object?: string;
  readonly source?: string;
}

export interface ReadOptions {
  /** Where to begin; a number means so many of the newest records that match. */
  readonly from: 'start' | 'end' | number;
  /** Go on with what is written later; ends when the signal is aborted. */
  readonly follow: boolean;
  readonly filter?: RecordFilter;
  readonly signal?: AbortSignal;
  /** Told of every line that is no record; reading goes on behind it. */
  readonly onGarbage?: (garbage: Garbage) => void;
  /** Told when reading fails and will be tried again. */
  readonly onProblem?: (message: string) => void;
}

export interface Garbage {
  /** File and byte offset, or the id of a stream's entry. */
  readonly where: string;
  readonly problem: string;
}

/** A record and the line that it was read from. */
export interface ReadRecord {
  readonly record: LogRecord;
  readonly line: string;
}

export function matches(filter: RecordFilter, record: LogRecord): boolean {
  if (filter.tenant !== undefined && filter.tenant !== record.tenant) return false;
  if (record.type === 'gap') return true;
  return (
    (filter.allowed === undefined || filter.allowed === record.allowed) &&
    (filter.subject === undefined || filter.subject === record.subject) &&
    (filter.action === undefined || filter.action === record.action) &&
    (filter.object === undefined || filter.object === record.object) &&
    (filter.type === undefined || (record.object !== undefined && filter.type === typeOf(record.object))) &&
    (filter.source === undefined || filter.source === record.source)
  );
}

/** The record of a line if it is one and is wanted; what is no record is reported. */
export function wanted(line: string, where: string, options: ReadOptions): ReadRecord | undefined {
  try {
    const record = parseRecord(line);
    return options.filter === undefined || matches(options.filter, record) ? { record, line } : undefined;
  } catch (error) {
    options.onGarbage?.({ where, problem: messageOf(error) });
    return undefined;
  }
}
