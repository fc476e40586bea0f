/**
 * What the log keeps of administration: who changed what, why, and what was there before; attempts that were refused,
 * too. A change has a number like a decision, and is never filtered, sampled or masked. docs/decision-log.md has the keys.
 */
import { quoted } from './quoted.ts';

/** One record of the graph that changes, or was to change; before and after as they are stored. */
export interface RecordedChange {
  readonly op: 'put' | 'delete' | 'create' | 'remove';
  readonly before?: unknown;
  readonly after?: unknown;
  /** What was to be made or removed, where only that is known. */
  readonly object?: string;
}

export interface ChangeEntry {
  /** Tells it from a decision. */
  readonly source: 'change';
  /** A ULID. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly tenant: string;
  /** For whom it was judged. */
  readonly by: string;
  /** Who called, where that is somebody else; or empty. */
  readonly via: string;
  /** The reason that was given, or empty. */
  readonly why: string;
  /** The code of what was wrong; empty where it was done. */
  readonly error: string;
  /** The revision token that it made; or empty. */
  readonly revision: string;
  /** Each as JSON; see changesOf. */
  readonly changes: readonly string[];
  readonly omitted: number;
}

/** Most characters of changes in one record; a change set has 10,000 changes at the most, and history has all of them. */
const mostCharacters = 256 * 1024;

/** What of a change set fits into one record, as JSON, and how many changes do not. */
export function changesOf(changes: Iterable<RecordedChange>): Pick<ChangeEntry, 'changes' | 'omitted'> {
  const kept: string[] = [];
  let characters = 0;
  let omitted = 0;
  for (const change of changes) {
    const text = omitted > 0 ? '' : JSON.stringify(change);
    characters += text.length;
    if (omitted > 0 || characters > mostCharacters) omitted++;
    else kept.push(text);
  }
  return { changes: kept, omitted };
}

export function estimateChangeBytes(entry: ChangeEntry): number {
  return 512 + 2 * entry.changes.reduce((sum, text) => sum + text.length + 16, 0) + 2 * entry.why.length;
}

/** JSON without the brace that ends it. */
export function encodeChange(entry: ChangeEntry, seq: number, instance: string): string {
  const optional = (key: string, text: string) => (text === '' ? '' : `,"${key}":${quoted(text)}`);
  return [
    `{"type":"change","id":"${entry.id}","instance":${quoted(instance)},"seq":${seq}`,
    `,"time":"${new Date(entry.time).toISOString()}","tenant":${quoted(entry.tenant)},"by":${quoted(entry.by)}`,
    optional('via', entry.via),
    optional('why', entry.why),
    `,"allowed":${entry.error === ''}`,
    optional('error', entry.error),
    optional('revision', entry.revision),
    `,"changes":[${entry.changes.join(',')}]`,
    entry.omitted === 0 ? '' : `,"changes_omitted":${entry.omitted}`,
  ].join('');
}
