/**
 * Untrusted JSON to records and changes: what a store or a snapshot on disk
 * holds may have been written by anybody. Called once for each record of a
 * load, so it is written by hand and allocates little.
 *
 * What it returns is canonical: fields in one order, no default written out,
 * so that equal records have equal JSON whoever wrote them. It must never let
 * an unknown field pass: a field that this version does not know could be one
 * that narrows a binding.
 */
import { type Change, hasForeignBefore } from './change.ts';
import type { BindingRecord, EntityKind, EntityRecord, ParentEdge, RoleRecord } from './entity.ts';
import { entityKinds } from './entity.ts';
import { messageOf } from './errors.ts';
import { maxConditionBytes, maxNoteBytes } from './limits.ts';
import { problemOfAction, problemOfName, problemOfPrincipal, problemOfRoleName, problemOfText } from './names.ts';
import { parseAttribute } from './parse-attribute.ts';
import {
  corrupt,
  flagAt,
  type Json,
  listAt,
  nameAt,
  namesAt,
  noteAt,
  objectAt,
  onlyFields,
  show,
  textAt,
  timeAt,
} from './parse-fields.ts';
import { parseConstraint, parseHook } from './parse-hook.ts';
import { permissionAt, problemOfGroup, problemOfType, scopeAt } from './parse-scope.ts';
import { parseShortPermission } from './permission.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Parses one record.
 * @param where Where it was found, for the message: a key and a field, a file and a line.
 * @throws PosternError STORE_CORRUPT, with `where` and `field` as metadata
 */
export function parseRecord(json: unknown, where: string): EntityRecord {
  const from = objectAt(json, where, '');
  const kind = kindAt(from, where);
  return parsers[kind](from, where);
}

/**
 * Parses one change: {"op": "put", "record": ...} or {"op": "delete", "kind": ..., "key": ...}, perhaps with "before".
 * @throws PosternError STORE_CORRUPT, with `where` and `field` as metadata
 */
export function parseChange(json: unknown, where: string): Change {
  const from = objectAt(json, where, '');
  if (from.op === 'put') {
    onlyFields(from, putFields, where, '');
    return withBefore({ op: 'put', record: parseRecord(from.record, where) }, from.before, where);
  }
  if (from.op !== 'delete') throw corrupt(where, 'op', `is ${show(from.op)}; it must be "put" or "delete"`);
  onlyFields(from, deleteFields, where, '');
  const change: Change = { op: 'delete', kind: kindAt(from, where), key: textAt(from, 'key', where) };
  return withBefore(change, from.before, where);
}

const putFields = new Set(['op', 'record', 'before']);
const deleteFields = new Set(['op', 'kind', 'key', 'before']);

/**
 * The change with the record that it replaced or removed.
 * @param json That record, untrusted; undefined leaves the change as it is.
 * @throws PosternError STORE_CORRUPT where it is no record, or one of another identity
 */
export function withBefore(change: Change, json: unknown, where: string): Change {
  if (json === undefined) return change;
  const whole: Change = { ...change, before: parseRecord(json, `${where} before`) };
  if (hasForeignBefore(whole)) throw corrupt(where, 'before', 'is another record than the one that changes');
  return whole;
}

const parsers: Readonly<Record<EntityKind, (from: Json, where: string) => EntityRecord>> = {
  settings: parseSettings,
  type: parseType,
  attribute: parseAttribute,
  role: parseRole,
  group: parseGroup,
  member: parseMember,
  object: parseObject,
  binding: parseBinding,
  hook: parseHook,
  constraint: parseConstraint,
};

function kindAt(from: Json, where: string): EntityKind {
  const { kind } = from;
  if (typeof kind === 'string' && Object.hasOwn(parsers, kind)) return kind as EntityKind;
  throw corrupt(where, 'kind', `is ${show(kind)}; it must be one of ${entityKinds.join(', ')}`);
}

const settingsFields = new Set(['kind', 'mode']);

function parseSettings(from: Json, where: string): EntityRecord {
  onlyFields(from, settingsFields, where, '');
  const { mode } = from;
  if (mode === 'enforce' || mode === 'shadow' || mode === 'off') return { kind: 'settings', mode };
  throw corrupt(where, 'mode', `is ${show(mode)}; it must be "enforce", "shadow" or "off"`);
}

const typeFields = new Set(['kind', 'name', 'description', 'actions', 'parents']);

function parseType(from: Json, where: string): EntityRecord {
  onlyFields(from, typeFields, where, '');
  const description = noteAt(from, 'description', where);
  // An empty list is not the default here: it closes the vocabulary, where absence leaves it open.
  const actions = from.actions === undefined ? undefined : namesAt(from, 'actions', problemOfAction, where);
  const parents = from.parents === undefined ? undefined : namesAt(from, 'parents', problemOfType, where);
  return {
    kind: 'type',
    name: nameAt(from, 'name', problemOfType, where),
    ...(description === undefined ? {} : { description }),
    ...(actions === undefined ? {} : { actions }),
    ...(parents === undefined ? {} : { parents }),
  };
}

const roleFields = new Set([
  'kind',
  'name',
  'description',
  'permissions',
  'except',
  'includes',
  'system',
  'grantAction',
]);

function parseRole(from: Json, where: string): EntityRecord {
  onlyFields(from, roleFields, where, '');
  const name = nameAt(from, 'name', problemOfRoleName, where);
  const description = noteAt(from, 'description', where);
  const permissions = listAt(from, 'permissions', where).map((input, i) =>
    permissionAt(input, where, `permissions[${i}]`),
  );
  const record: Writable<RoleRecord> =
    description === undefined ? { kind: 'role', name, permissions } : { kind: 'role', name, description, permissions };
  const except = from.except === undefined ? [] : namesAt(from, 'except', problemOfShortPermission, where);
  if (except.length > 0) record.except = except;
  const includes = from.includes === undefined ? [] : namesAt(from, 'includes', problemOfRoleName, where);
  if (includes.length > 0) record.includes = includes;
  if (flagAt(from, 'system', false, where)) record.system = true;
  if (from.grantAction !== undefined && from.grantAction !== 'grant') {
    record.grantAction = nameAt(from, 'grantAction', problemOfAction, where);
  }
  return record;
}

const groupFields = new Set(['kind', 'group', 'description']);

function parseGroup(from: Json, where: string): EntityRecord {
  onlyFields(from, groupFields, where, '');
  const group = nameAt(from, 'group', problemOfGroup, where);
  const description = noteAt(from, 'description', where);
  return description === undefined ? { kind: 'group', group } : { kind: 'group', group, description };
}

const memberFields = new Set(['kind', 'group', 'member', 'expiresAt']);

function parseMember(from: Json, where: string): EntityRecord {
  onlyFields(from, memberFields, where, '');
  const group = nameAt(from, 'group', problemOfGroup, where);
  const member = nameAt(from, 'member', problemOfPrincipal, where);
  const expiresAt = timeAt(from, 'expiresAt', where);
  return expiresAt === undefined ? { kind: 'member', group, member } : { kind: 'member', group, member, expiresAt };
}

const objectFields = new Set(['kind', 'object', 'parents']);
const parentFields = new Set(['object', 'inherit']);

function parseObject(from: Json, where: string): EntityRecord {
  onlyFields(from, objectFields, where, '');
  const object = nameAt(from, 'object', problemOfName, where);
  const parents = from.parents === undefined ? [] : listAt(from, 'parents', where);
  if (parents.length === 0) return { kind: 'object', object };
  return { kind: 'object', object, parents: parents.map((edge, i) => parentAt(edge, where, `parents[${i}].`)) };
}

function parentAt(json: unknown, where: string, prefix: string): ParentEdge {
  const from = objectAt(json, where, prefix);
  onlyFields(from, parentFields, where, prefix);
  const object = nameAt(from, 'object', problemOfName, where, prefix);
  return flagAt(from, 'inherit', true, where, prefix) ? { object } : { object, inherit: false };
}

const bindingFields = new Set([
  'kind',
  'subject',
  'role',
  'scope',
  'effect',
  'name',
  'expiresAt',
  'cascade',
  'locked',
  'note',
  'condition',
]);

function parseBinding(from: Json, where: string): EntityRecord {
  onlyFields(from, bindingFields, where, '');
  const record: Writable<BindingRecord> = {
    kind: 'binding',
    subject: nameAt(from, 'subject', problemOfPrincipal, where),
    role: nameAt(from, 'role', problemOfRoleName, where),
    scope: scopeAt(from.scope, where, 'scope'),
  };
  if (from.effect === 'deny') record.effect = 'deny';
  else if (from.effect !== undefined && from.effect !== 'allow') {
    throw corrupt(where, 'effect', `is ${show(from.effect)}; it must be "allow" or "deny"`);
  }
  if (from.name !== undefined) record.name = nameAt(from, 'name', problemOfBindingName, where);
  const expiresAt = timeAt(from, 'expiresAt', where);
  if (expiresAt !== undefined) record.expiresAt = expiresAt;
  if (!flagAt(from, 'cascade', true, where)) record.cascade = false;
  if (flagAt(from, 'locked', false, where)) record.locked = true;
  if (from.condition !== undefined) record.condition = nameAt(from, 'condition', problemOfCondition, where);
  const note = noteAt(from, 'note', where);
  if (note !== undefined) record.note = note;
  return record;
}

function problemOfCondition(text: string): string | undefined {
  return problemOfText(text, 'condition', maxConditionBytes);
}

function problemOfBindingName(text: string): string | undefined {
  return problemOfText(text, 'name', maxNoteBytes);
}

function problemOfShortPermission(text: string): string | undefined {
  try {
    parseShortPermission(text);
    return undefined;
  } catch (error) {
    return `is not legal: ${messageOf(error)}`;
  }
}
