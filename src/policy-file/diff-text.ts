/** The difference of two graphs for a person who is about to apply it. Pure; called by `postern diff` and `postern apply`. */
import { diff, sameData } from '../graph/diff.ts';
import {
  type BindingRecord,
  type EntityKind,
  type EntityRecord,
  entityKey,
  entityKinds,
  type MemberRecord,
} from '../model/entity.ts';
import { formatInstant } from './instant.ts';

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
  if (after !== undefined && before !== undefined && sameData(before, after)) return `~ ${describe(after)}: no change`;
  const { sign, text } = after === undefined ? describeDelete(before as EntityRecord) : describePut(before, after);
  return `${sign} ${text}`;
}

function identity(kind: EntityKind, key: string): string {
  return `${kind} ${key}`;
}

function describePut(was: EntityRecord | undefined, record: EntityRecord): PlanLine {
  if (was === undefined) return { sign: '+', text: [describe(record), ...describeExtras(record)].join(', ') };
  return { sign: '~', text: `${describe(record)}: ${describeChange(was, record)}` };
}

function describeDelete(record: EntityRecord): PlanLine {
  return { sign: '-', text: describe(record) };
}

/** What a record is, in the words of the policy file. */
function describe(record: EntityRecord): string {
  switch (record.kind) {
    case 'settings':
      return 'mode';
    case 'member':
      return `member ${visible(record.member)} of ${visible(record.group)}`;
    case 'binding':
      return describeBinding(record);
    case 'group':
      return visible(record.group).replace(':', ' ');
    default:
      return `${record.kind} ${visible(entityKey(record))}`;
  }
}

function describeBinding({ subject, role, scope, effect, name }: BindingRecord): string {
  const place = typeof scope === 'string' ? visible(scope) : JSON.stringify(scope);
  const prefix = effect === 'deny' ? 'deny binding' : 'binding';
  return `${prefix} ${visible(subject)} ${visible(role)} on ${place}${name === undefined ? '' : ` (${visible(name)})`}`;
}

function describeExtras(record: EntityRecord): string[] {
  const extras: string[] = [];
  if (record.kind === 'settings') extras.push(record.mode);
  if (record.kind === 'binding' && record.cascade === false) extras.push('that object only');
  if (record.kind === 'binding' && record.locked === true) extras.push('locked');
  if (record.kind === 'binding' || record.kind === 'member') extras.push(...describeExpiry(record));
  if (record.kind === 'attribute') extras.push(record.type);
  if (record.kind === 'hook') extras.push(...record.grants.map(show));
  if (record.kind === 'constraint') {
    extras.push(`${record.cardinality ?? 2} of ${record.roles.map(visible).join(' ')}`);
    if (record.dynamic === true) extras.push('dynamic');
  }
  return extras;
}

function describeExpiry({ expiresAt }: BindingRecord | MemberRecord): string[] {
  return expiresAt === undefined ? [] : [`until ${formatInstant(expiresAt)}`];
}

function describeChange(was: EntityRecord, record: EntityRecord): string {
  const before = was as unknown as Readonly<Record<string, unknown>>;
  const after = record as unknown as Readonly<Record<string, unknown>>;
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return fields
    .filter((field) => !sameData(before[field], after[field]))
    .map((field) => describeField(field, before[field], after[field]))
    .join('; ');
}

function describeField(field: string, before: unknown, after: unknown): string {
  if (Array.isArray(before ?? []) && Array.isArray(after ?? [])) {
    const olds = new Set(((before ?? []) as unknown[]).map(show));
    const news = new Set(((after ?? []) as unknown[]).map(show));
    const signed = [
      ...[...news].filter((item) => !olds.has(item)).map((item) => `+${item}`),
      ...[...olds].filter((item) => !news.has(item)).map((item) => `-${item}`),
    ];
    return `${field} ${signed.length === 0 ? 'in another order' : signed.join(' ')}`;
  }
  const value = field === 'expiresAt' ? showInstant : show;
  return `${field} ${value(before)} -> ${value(after)}`;
}

function showInstant(value: unknown): string {
  return typeof value === 'number' ? formatInstant(value) : 'none';
}

function show(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? visible(value) : JSON.stringify(value);
}

/** As it is where no reader can mistake its end, else in quotes. */
function visible(text: string): string {
  return /^[^\s\p{C}",]+$/u.test(text) ? text : JSON.stringify(text);
}
