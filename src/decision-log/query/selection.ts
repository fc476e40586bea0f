/**
 * Which lines a question is about. Called for every line that is looked at, so most are told from their text, without
 * parsing them. What it lets through is never a matter of where the log is, nor of who asks.
 */
import { hash } from 'node:crypto';
import { messageOf } from '../../model/errors.ts';
import { matches, type RecordFilter } from '../filter.ts';
import { type LogRecord, parseRecord } from '../record.ts';

/** All that is given must hold; names are compared with what was logged, so that a mask is found by its mask. */
export interface Selection extends RecordFilter {
  /** A revision token: of the graph that decided, or that a change made. */
  readonly revision?: string;
}

/** A line, and what it says: a record, or why it is none. */
export type FoundLine =
  | { readonly line: string; readonly record: LogRecord; readonly problem?: undefined }
  | { readonly line: string; readonly record?: undefined; readonly problem: string; readonly where?: string };

/** @returns The line with its record where it is asked for. A line that is no record is, where all kinds are. */
export type Select = (line: string) => FoundLine | undefined;

export function createSelect(selection: Selection): Select {
  const needles = needlesOf(selection);
  return (line) => {
    if (isOther(line, needles)) return undefined;
    let record: LogRecord;
    try {
      record = parseRecord(line);
    } catch (error) {
      return selection.allKinds === true ? { line, problem: messageOf(error) } : undefined;
    }
    return selects(selection, record) ? { line, record } : undefined;
  };
}

export function selects(selection: Selection, record: LogRecord): boolean {
  const { revision } = selection;
  const hasRevision = record.type === undefined || record.type === 'change';
  if (revision !== undefined && hasRevision && record.revision !== revision) return false;
  return matches(selection, record);
}

/** Whether a line is a decision that cannot be one that is asked for. */
function isOther(line: string, needles: readonly string[]): boolean {
  // What is no decision has other keys, and escapes write one text in several ways.
  if (needles.length === 0 || !line.startsWith('{"id":"') || line.includes('\\')) return false;
  return !needles.every((needle) => line.includes(needle));
}

/** Texts without which a decision cannot be one that is asked for. */
function needlesOf({ subject, action, object, type, source, instance, id, revision }: Selection): readonly string[] {
  const values = [subject, action, object, source, instance, id, revision].filter((value) => value !== undefined);
  const needles = values.map((value) => JSON.stringify(value));
  return type === undefined ? needles : [...needles, `"${type}:`];
}

/**
 * What tells a line from all others but its copies. Of all of it: the hash that a line itself says that it has is what
 * somebody who wants it passed over would take from another.
 */
export function copyKeyOf(line: string): string {
  return hash('sha256', line, 'base64');
}
