/**
 * Which records a reader wants, and how all readers are asked. Gap records pass
 * every filter but those of tenant, instance and time: whoever reads a part of
 * the log must still see that something is missing.
 */
import { messageOf } from '../model/errors.ts';
import { typeOf } from '../model/names.ts';
import { type ChangeRecord, type DecisionRecord, type LogRecord, parseRecord } from './record.ts';

/** All that is given must hold; names are compared exactly. */
export interface RecordFilter {
  readonly allowed?: boolean;
  /** One of these. */
  readonly tenant?: string | readonly string[];
  /** Who asked; of a change: who made it. */
  readonly subject?: string;
  readonly action?: string;
  /** The type of the object. */
  readonly type?: string;
  readonly object?: string;
  readonly source?: string;
  readonly instance?: string;
  /** Of this decision or change only; not even gaps pass. */
  readonly id?: string;
  /** RFC 3339 in UTC with milliseconds, as in records: from there on, and before. */
  readonly since?: string;
  readonly until?: string;
  /** Starts, stops and seals, too, which say nothing about decisions. */
  readonly allKinds?: boolean;
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
  /** Told when reading goes on after a problem. */
  readonly onRecovered?: () => void;
  /** Told when records went before they were read: at least so many, by the numbers of instances that were read before. */
  readonly onLoss?: (atLeast: number) => void;
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
  const { tenant } = filter;
  if (
    tenant !== undefined &&
    !(typeof tenant === 'string' ? tenant === record.tenant : tenant.includes(record.tenant))
  ) {
    return false;
  }
  if (filter.instance !== undefined && filter.instance !== record.instance) return false;
  if (filter.since !== undefined && record.time < filter.since) return false;
  if (filter.until !== undefined && record.time >= filter.until) return false;
  switch (record.type) {
    case undefined:
      return matchesDecision(filter, record);
    case 'change':
      return matchesChange(filter, record);
    case 'gap':
      return filter.id === undefined;
    default:
      return filter.allKinds === true && filter.id === undefined;
  }
}

function matchesDecision(filter: RecordFilter, record: DecisionRecord): boolean {
  return (
    (filter.allowed === undefined || filter.allowed === record.allowed) &&
    (filter.subject === undefined || filter.subject === record.subject) &&
    (filter.action === undefined || filter.action === record.action) &&
    (filter.object === undefined || filter.object === record.object) &&
    (filter.type === undefined || (record.object !== undefined && filter.type === typeOf(record.object))) &&
    (filter.source === undefined || filter.source === record.source) &&
    (filter.id === undefined || filter.id === record.id)
  );
}

/** A change is no answer to a question: whoever asks for an action, an object or a way of asking wants none. */
function matchesChange(filter: RecordFilter, record: ChangeRecord): boolean {
  return (
    (filter.allowed === undefined || filter.allowed === record.allowed) &&
    (filter.subject === undefined || filter.subject === record.by) &&
    (filter.id === undefined || filter.id === record.id) &&
    filter.action === undefined &&
    filter.object === undefined &&
    filter.type === undefined &&
    filter.source === undefined
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
