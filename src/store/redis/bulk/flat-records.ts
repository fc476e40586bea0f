/**
 * Puts stored records into a flat graph. Members, objects and bindings in the form in which Postern writes them, with
 * plain names, go from bytes to numbers at once; every other record takes the way through JSON and its parser, which
 * says what is wrong with it. Both ways must put the same: a test holds one against the other.
 */
import type { FlatBuilder } from '../../../graph/flat/builder.ts';
import { namingRecord } from '../../../graph/named-record.ts';
import type { EntityKind, EntityRecord } from '../../../model/entity.ts';
import { textOfBytes } from '../../../model/utf8.ts';
import { parseStored } from '../decode.ts';
import { afterRepeat, ascii, plainNameEnd, plainRoleEnd, repeatsAt, standsAt } from './plain-text.ts';
import type { OnPair } from './scan-replies.ts';

/** Called with each condition, which has to compile before anybody may rely on it. */
export type OnCondition = (text: string) => void;

/** @returns What takes the records of one hash. It throws PosternError STORE_CORRUPT, naming key and field. */
export function recordsInto(builder: FlatBuilder, kind: EntityKind, key: string, onCondition: OnCondition): OnPair {
  const plain = plainPuts[kind];
  return (bytes, fieldStart, fieldEnd, valueStart, valueEnd) => {
    if (plain?.(builder, bytes, fieldStart, fieldEnd, valueStart, valueEnd) === true) return;
    const field = textOfBytes(bytes.subarray(fieldStart, fieldEnd));
    const change = parseStored(kind, field, textOfBytes(bytes.subarray(valueStart, valueEnd)), key);
    if (change.op !== 'put') return;
    putRecord(builder, change.record, onCondition);
  };
}

/** @throws PosternError INVALID_POLICY, naming the record */
export function putRecord(builder: FlatBuilder, record: EntityRecord, onCondition: OnCondition): void {
  try {
    if (record.kind === 'binding' && record.condition !== undefined) onCondition(record.condition);
    builder.put(record);
  } catch (error) {
    throw namingRecord(record, error);
  }
}

/** Puts a record that is plain; false where it is not, and nothing was put. */
type PlainPut = (builder: FlatBuilder, ...pair: Parameters<OnPair>) => boolean;

const plainPuts: Partial<Record<EntityKind, PlainPut>> = {
  member: putMember,
  object: putObject,
  binding: putBinding,
};

const closing = ascii('"}');
const pairOpening = ascii('["');
const pairComma = ascii('","');
const pairClosing = ascii('"]');

const memberOpening = ascii('{"kind":"member","group":"');
const groupPrefix = ascii('group:');
const memberField = ascii('","member":"');

function putMember(
  builder: FlatBuilder,
  bytes: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  valueStart: number,
  valueEnd: number,
): boolean {
  if (!standsAt(bytes, valueStart, valueEnd, memberOpening)) return false;
  const group = valueStart + memberOpening.length;
  if (!standsAt(bytes, group, valueEnd, groupPrefix)) return false;
  const groupEnd = plainNameEnd(bytes, group, valueEnd);
  if (groupEnd < 0 || !standsAt(bytes, groupEnd, valueEnd, memberField)) return false;
  const member = groupEnd + memberField.length;
  const memberEnd = plainNameEnd(bytes, member, valueEnd);
  if (memberEnd < 0 || memberEnd + closing.length !== valueEnd) return false;
  if (!standsAt(bytes, memberEnd, valueEnd, closing)) return false;
  // The field is the identity as JSON: ["group","member"].
  let at = standsAt(bytes, fieldStart, fieldEnd, pairOpening) ? fieldStart + pairOpening.length : -1;
  at = afterRepeat(bytes, at, fieldEnd, group, groupEnd, pairComma);
  at = afterRepeat(bytes, at, fieldEnd, member, memberEnd, pairClosing);
  if (at !== fieldEnd) return false;
  builder.putPlainMember(bytes, member, memberEnd, group, groupEnd);
  return true;
}

const objectOpening = ascii('{"kind":"object","object":"');
const oneParent = ascii('","parents":[{"object":"');
const parentsClosing = ascii('"}]}');

/** Without a parent, or with one that binds through: objects with more take the long way. */
function putObject(
  builder: FlatBuilder,
  bytes: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  valueStart: number,
  valueEnd: number,
): boolean {
  if (!standsAt(bytes, valueStart, valueEnd, objectOpening)) return false;
  const object = valueStart + objectOpening.length;
  const objectEnd = plainNameEnd(bytes, object, valueEnd);
  if (objectEnd < 0 || fieldEnd - fieldStart !== objectEnd - object) return false;
  if (!repeatsAt(bytes, fieldStart, fieldEnd, object, objectEnd)) return false;
  if (objectEnd + closing.length === valueEnd && standsAt(bytes, objectEnd, valueEnd, closing)) {
    builder.putPlainObject(bytes, object, objectEnd);
    return true;
  }
  if (!standsAt(bytes, objectEnd, valueEnd, oneParent)) return false;
  const parent = objectEnd + oneParent.length;
  const parentEnd = plainNameEnd(bytes, parent, valueEnd);
  if (parentEnd < 0 || parentEnd + parentsClosing.length !== valueEnd) return false;
  if (!standsAt(bytes, parentEnd, valueEnd, parentsClosing)) return false;
  builder.putPlainObject(bytes, object, objectEnd);
  builder.putPlainParent(bytes, parent, parentEnd);
  return true;
}

const bindingOpening = ascii('{"kind":"binding","subject":"');
const roleField = ascii('","role":"');
const scopeField = ascii('","scope":"');
const denyClosing = ascii('","effect":"deny"}');
const allowKeyClosing = ascii('","allow"]');
const denyKeyClosing = ascii('","deny"]');

/** On one object, without anything but an effect. */
function putBinding(
  builder: FlatBuilder,
  bytes: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  valueStart: number,
  valueEnd: number,
): boolean {
  if (!standsAt(bytes, valueStart, valueEnd, bindingOpening)) return false;
  const subject = valueStart + bindingOpening.length;
  const subjectEnd = plainNameEnd(bytes, subject, valueEnd);
  if (subjectEnd < 0 || !standsAt(bytes, subjectEnd, valueEnd, roleField)) return false;
  const role = subjectEnd + roleField.length;
  const roleEnd = plainRoleEnd(bytes, role, valueEnd);
  if (roleEnd < 0 || !standsAt(bytes, roleEnd, valueEnd, scopeField)) return false;
  const scope = roleEnd + scopeField.length;
  const scopeEnd = plainNameEnd(bytes, scope, valueEnd);
  if (scopeEnd < 0) return false;
  const deny = scopeEnd + denyClosing.length === valueEnd && standsAt(bytes, scopeEnd, valueEnd, denyClosing);
  const allow = scopeEnd + closing.length === valueEnd && standsAt(bytes, scopeEnd, valueEnd, closing);
  if (!deny && !allow) return false;
  // The field is the identity as JSON: ["subject","role","scope","allow"].
  let at = standsAt(bytes, fieldStart, fieldEnd, pairOpening) ? fieldStart + pairOpening.length : -1;
  at = afterRepeat(bytes, at, fieldEnd, subject, subjectEnd, pairComma);
  at = afterRepeat(bytes, at, fieldEnd, role, roleEnd, pairComma);
  at = afterRepeat(bytes, at, fieldEnd, scope, scopeEnd, deny ? denyKeyClosing : allowKeyClosing);
  if (at !== fieldEnd) return false;
  const roleId = builder.roles.intern(bytes, role, roleEnd);
  builder.putPlainBinding(bytes, subject, subjectEnd, scope, scopeEnd, roleId, deny);
  return true;
}
