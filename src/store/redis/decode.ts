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
import { parseChange, parseRecord } from '../../model/parse-record.ts';

const epochPattern = /^[A-Za-z0-9]{1,64}$/;
const numberPattern = /^[1-9][0-9]{0,15}$/;

/** The fields epoch and revision of a head; undefined where neither is there. */
export function parseHead(
  epoch: string | null | undefined,
  number: string | null | undefined,
  key: string,
): Revision | undefined {
  if ((epoch ?? null) === null && (number ?? null) === null) return undefined;
  return parseRevisionOf(epoch, number, key);
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
  const revision = parseRevisionOf(from.epoch, from.revision, where);
  if (from.changes === undefined) return revision;
  if (!Array.isArray(from.changes)) throw corrupt(where, 'changes', 'is not a list');
  return toChangeSet(
    revision,
    from.at,
    from.by,
    from.why,
    from.changes.map((change: unknown) => parseChange(change, where)),
    where,
  );
}

/** What the first entry of a change set says of the whole. */
export interface EntryHead {
  readonly epoch: string;
  readonly at: string;
  readonly parts: number;
  readonly by: string | undefined;
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
  const head = { epoch: about.epoch, at: about.at, parts, by: about.by, why: about.why };
  return { head, changes: parseEntry(fields.slice(i), where) };
}

/** The changes of one entry: pairs of "+kind", record; or "-kind", key. */
export function parseEntry(fields: readonly string[], where: string): Change[] {
  const changes: Change[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const op = fields[i] as string;
    const value = fields[i + 1] as string;
    const kind = entityKinds.find((each) => each === op.slice(1));
    if (!isChange(op) || kind === undefined) throw corrupt(where, quote(op), 'is not a change of a known kind');
    if (op.startsWith('-')) changes.push({ op: 'delete', kind, key: value });
    else {
      const record = parseRecord(parseJson(value, where), where);
      if (record.kind !== kind) throw corrupt(where, 'kind', `is "${record.kind}" in a change of "${kind}"`);
      changes.push({ op: 'put', record });
    }
  }
  return changes;
}

/** @param at Number, or its text. */
export function toChangeSet(
  revision: Revision,
  at: unknown,
  by: unknown,
  why: unknown,
  changes: readonly Change[],
  where: string,
): ChangeSet {
  const atMs = Number(at);
  if (!Number.isSafeInteger(atMs)) throw corrupt(where, 'at', 'is not a number of milliseconds');
  if (by !== undefined && typeof by !== 'string') throw corrupt(where, 'by', 'is not text');
  if (why !== undefined && typeof why !== 'string') throw corrupt(where, 'why', 'is not text');
  return { revision, changes, at: atMs, ...(by ? { by } : {}), ...(why ? { why } : {}) };
}

function isChange(field: string | undefined): boolean {
  return field?.startsWith('+') === true || field?.startsWith('-') === true;
}

function parseRevisionOf(epoch: unknown, number: unknown, where: string): Revision {
  if (typeof epoch !== 'string' || !epochPattern.test(epoch)) {
    throw corrupt(where, 'epoch', 'is not 1 to 64 letters and digits');
  }
  if (!numberPattern.test(String(number)) || !Number.isSafeInteger(Number(number))) {
    throw corrupt(where, 'revision', 'is not a whole number above 0');
  }
  return { epoch, number: Number(number) };
}

function parseJson(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new PosternError('STORE_CORRUPT', `${where}: is not JSON: ${messageOf(error)}`, { where, field: '' });
  }
}
