/** The difference of two graphs for a person who is about to apply it. Pure; called by `postern diff` and `postern apply`. */
import { diff, sameData } from '../graph/diff.ts';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../model/entity.ts';
import { describeFields, describeRecord, describeRemoved, nameRecord } from './record-text.ts';

export type Sign = '+' | '~' | '-';

export interface PlanLine {
  readonly sign: Sign;
  /** "binding user:alice editor on doc:42". */
  readonly text: string;
}

export interface Plan {
  /** By kind, in the order of entityKinds, then by identity. */
  readonly lines: readonly PlanLine[];
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export function planChanges(from: Iterable<EntityRecord>, to: Iterable<EntityRecord>): Plan {
  const before = Array.isArray(from) ? (from as readonly EntityRecord[]) : [...from];
  const after = Array.isArray(to) ? (to as readonly EntityRecord[]) : [...to];
  const old = new Map(before.map((record) => [identity(record.kind, entityKey(record)), record]));
  const entries = diff(before, after).map((change) => {
    const kind = change.op === 'put' ? change.record.kind : change.kind;
    const key = change.op === 'put' ? entityKey(change.record) : change.key;
    const was = old.get(identity(kind, key));
    const line = change.op === 'put' ? describePut(was, change.record) : describeDelete(was as EntityRecord);
    return { order: entityKinds.indexOf(kind), key, line };
  });
  entries.sort((a, b) => a.order - b.order || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const lines = entries.map((entry) => entry.line);
  const count = (sign: Sign) => lines.filter((line) => line.sign === sign).length;
  return { lines, added: count('+'), changed: count('~'), removed: count('-') };
}

/** The lines and the counts: "3 to add, 1 to change, 0 to remove". No newline at the end. */
export function formatPlan({ lines, added, changed, removed }: Plan, { colour = false } = {}): string {
  const codes: Readonly<Record<Sign, number>> = { '+': 32, '~': 33, '-': 31 };
  const shown = lines.map(({ sign, text }) => {
    return colour ? `\u001b[${codes[sign]}m${sign} ${text}\u001b[0m` : `${sign} ${text}`;
  });
  const counts = `${added} to add, ${changed} to change, ${removed} to remove`;
  return lines.length === 0 ? 'No changes.' : [...shown, counts].join('\n');
}

/**
 * What a change did to one record, as a line of a plan: "+ binding user:bob viewer on doc:1". Empty where there was no
 * record and is none.
 */
export function describeRecordChange(before: EntityRecord | undefined, after: EntityRecord | undefined): string {
  if (after === undefined && before === undefined) return '';
  if (after !== undefined && before !== undefined && sameData(before, after))
    return `~ ${nameRecord(after)}: no change`;
  const { sign, text } = after === undefined ? describeDelete(before as EntityRecord) : describePut(before, after);
  return `${sign} ${text}`;
}

function identity(kind: EntityKind, key: string): string {
  return `${kind} ${key}`;
}

function describePut(was: EntityRecord | undefined, record: EntityRecord): PlanLine {
  if (was === undefined) return { sign: '+', text: describeRecord(record) };
  return { sign: '~', text: `${nameRecord(record)}: ${describeFields(was, record)}` };
}

function describeDelete(record: EntityRecord): PlanLine {
  return { sign: '-', text: describeRemoved(record) };
}
