/**
 * What is read from Redis, which anybody may have written: heads, records,
 * entries of the change stream, messages. Everything here throws STORE_CORRUPT
 * and says where; it must never pass over what it does not understand.
 */
import type { Change, ChangeSet, Revision } from '../../model/change.ts';
import { type EntityKind, entityKey, entityKinds } from '../../model/entity.ts';
import { messageOf, PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';
import { corrupt, type Json, objectAt } from '../../model/parse-fields.ts';
import { parseChange, parseRecord, withBefore } from '../../model/parse-record.ts';

const epochPattern = /^[A-Za-z0-9]{1,64}$/;
const numberPattern = /^[1-9][0-9]{0,15}$/;
/** Milliseconds since 1970, of a clock that may be set to before it. */
const timePattern = /^-?[0-9]{1,16}$/;
const headNoncePattern = /^([1-9][0-9]{0,15})-([A-Za-z0-9]{1,64})$/;

/** The fields of a head that parseHead takes, in its order. */
export const headFields = ['epoch', 'revision', 'nonce'] as const;

/** The revision of a head; undefined where it has neither an epoch nor a number. */
export function parseHead(
  [epoch = null, number = null, nonce = null]: readonly (string | null | undefined)[],
  key: string,
): Revision | undefined {
  if (epoch === null && number === null) return undefined;
  const match = headNoncePattern.exec(nonce ?? '');
  if (nonce !== null && match === null)
    throw corrupt(key, 'nonce', 'is not a revision number, "-", letters and digits');
  // The nonce of another number was left by a writer that knew of none.
  return parseRevisionOf(epoch, number, match?.[1] === number ? match?.[2] : undefined, key);
}

/** One field of a record hash. */
export function parseStored(kind: EntityKind, field: string, text: string, key: string): Change {
  const where = `key ${key} field ${quote(field)}`;
  const record = parseRecord(parseJson(text, where), where);
  if (record.kind !== kind) throw corrupt(where, 'kind', `is "${record.kind}", not "${kind}" as in its key`);
  if (entityKey(record) !== field) throw corrupt(where, '', `has the identity ${quote(entityKey(record))}`);
  return { op: 'put', record };
}

/** A message of the channel: a change set, or only the revision that was reached. */
export function parseMessage(text: string, channel: string): ChangeSet | Revision {
  const where = `a message on channel ${channel}`;
  const from = objectAt(parseJson(text, where), where, '');
  const revision = parseRevisionOf(from.epoch, from.revision, from.nonce, where);
  if (from.changes === undefined) return revision;
  if (!Array.isArray(from.changes)) throw corrupt(where, 'changes', 'is not a list');
  const changes = from.changes.map((change: unknown) => parseChange(change, where));
  return toChangeSet(revision, from, changes, where);
}

/** What the first entry of a change set says of the whole. */
export interface EntryHead {
  readonly epoch: string;
  readonly nonce: string | undefined;
  readonly after: string | undefined;
  readonly at: string;
  readonly parts: number;
  readonly by: string | undefined;
  readonly via: string | undefined;
  readonly why: string | undefined;
}

/** Splits the first entry of a change set into what it says of the whole, and its changes. */
export function parseFirstEntry(fields: readonly string[], where: string): { head: EntryHead; changes: Change[] } {
  const about: Record<string, string | undefined> = {};
  let i = 0;
  for (; i < fields.length && !isChange(fields[i]); i += 2) about[fields[i] as string] = fields[i + 1];
  const parts = Number(about.parts);
  if (about.epoch === undefined || about.at === undefined) throw corrupt(where, 'epoch', 'or "at" is missing');
  if (!Number.isSafeInteger(parts) || parts < 1) throw corrupt(where, 'parts', 'is not a number above 0');
  const { epoch, nonce, after, at, by, via, why } = about;
  const head = { epoch, nonce, after, at, parts, by, via, why };
  return { head, changes: parseEntry(fields.slice(i), where) };
}

/** The changes of one entry: pairs of "+kind", record; or "-kind", key; each perhaps after a pair of "=kind", before. */
export function parseEntry(fields: readonly string[], where: string): Change[] {
  const changes: Change[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    let before: unknown;
    if (fields[i]?.startsWith('=')) {
      if (fields[i]?.slice(1) !== fields[i + 2]?.slice(1)) {
        throw corrupt(where, quote(fields[i] as string), 'is not followed by the change that it belongs to');
      }
      before = parseJson(fields[i + 1] as string, `${where} before`);
      i += 2;
    }
    changes.push(withBefore(parsePair(fields[i] as string, fields[i + 1] as string, where), before, where));
  }
  return changes;
}

function parsePair(op: string, value: string, where: string): Change {
  const kind = entityKinds.find((each) => each === op.slice(1));
  if (!(op.startsWith('+') || op.startsWith('-')) || kind === undefined) {
    throw corrupt(where, quote(op), 'is not a change of a known kind');
  }
  if (op.startsWith('-')) return { op: 'delete', kind, key: value };
  const record = parseRecord(parseJson(value, where), where);
  if (record.kind !== kind) throw corrupt(where, 'kind', `is "${record.kind}" in a change of "${kind}"`);
  return { op: 'put', record };
}

/** @param about What is said of the whole, untrusted; `at` is a number or its text. */
export function toChangeSet(
  revision: Revision,
  about: Readonly<Partial<Record<'after' | 'at' | 'by' | 'via' | 'why', unknown>>>,
  changes: readonly Change[],
  where: string,
): ChangeSet {
  const at = wholeNumber(about.at, timePattern);
  if (at === undefined) throw corrupt(where, 'at', 'is not a number of milliseconds');
  const after = nonceOf(about.after, 'after', where);
  const by = textOf(about.by, 'by', where);
  const via = textOf(about.via, 'via', where);
  const why = textOf(about.why, 'why', where);
  return {
    revision,
    ...(after === undefined ? {} : { after }),
    changes,
    at,
    ...(by ? { by } : {}),
    ...(via ? { via } : {}),
    ...(why ? { why } : {}),
  };
}

function textOf(value: unknown, field: string, where: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw corrupt(where, field, 'is not text');
}

function isChange(field: string | undefined): boolean {
  return field !== undefined && /^[+=-]/.test(field);
}

/** A revision as anybody may have written it; the nonce may be absent. @throws PosternError STORE_CORRUPT */
export function parseRevisionOf(epoch: unknown, number: unknown, nonceText: unknown, where: string): Revision {
  if (typeof epoch !== 'string' || !epochPattern.test(epoch)) {
    throw corrupt(where, 'epoch', 'is not 1 to 64 letters and digits');
  }
  const whole = wholeNumber(number, numberPattern);
  if (whole === undefined) throw corrupt(where, 'revision', 'is not a whole number above 0');
  const nonce = nonceOf(nonceText, 'nonce', where);
  return { epoch, number: whole, ...(nonce === undefined ? {} : { nonce }) };
}

/** Of a number or its text: an object of JSON may be one that nothing makes a text of. */
function wholeNumber(value: unknown, pattern: RegExp): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const number = Number(value);
  return pattern.test(String(value)) && Number.isSafeInteger(number) ? number : undefined;
}

function nonceOf(value: unknown, field: string, where: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && epochPattern.test(value))) return value;
  throw corrupt(where, field, 'is not 1 to 64 letters and digits');
}

function parseJson(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new PosternError('STORE_CORRUPT', `${where}: is not JSON: ${messageOf(error)}`, { where, field: '' });
  }
}
