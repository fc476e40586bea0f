/**
 * What a caller asks for as changes to records: creations with what the hooks of their type grant, removals with all
 * that hangs on what is removed, and each change with the record that it replaces. Called by plan.ts. It judges only
 * whether a name is there or free; who may do it is judged elsewhere.
 */

import { toBindingRecord } from '../graph/binding.ts';
import { chunksOf } from '../graph/chunked.ts';
import { at } from '../graph/paged.ts';
import { objectAt, recordAt } from '../graph/record-at.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Change } from '../model/change.ts';
import { type EntityRecord, entityKey, type HookGrant } from '../model/entity.ts';
import { typeOf } from '../model/names.ts';
import { parseScope, type Scope, toScopeInput } from '../model/scope.ts';
import type { Creation } from './api.ts';

const groupPrefix = 'group:';

/** Whether a hook will make bindings or members of a name. */
export function isNamedByHook({ hooks }: Snapshot, name: string): boolean {
  for (const { grants } of hooks.values()) {
    for (const grant of grants) {
      if ('group' in grant ? grant.group === name || grant.member === name : grant.subject === name) return true;
      if ('role' in grant && grant.scope !== undefined && isObject(parseScope(grant.scope), name)) return true;
    }
  }
  return false;
}

function isObject(scope: Scope, name: string): boolean {
  return scope.kind === 'object' && scope.object === name;
}

/** Whether anything in the graph is about a name: a record, an edge or a binding. */
export function isUsed(snapshot: Snapshot, name: string): boolean {
  const node = snapshot.names.findNode(name);
  return (
    at(snapshot.registered, node) !== undefined ||
    at(snapshot.groupRecords, node) !== undefined ||
    at(snapshot.membersOf, node) !== undefined ||
    (at(snapshot.groupsOf, node)?.length ?? 0) > 0 ||
    at(snapshot.childrenOf, node) !== undefined ||
    at(snapshot.bindingsOf, node) !== undefined ||
    at(snapshot.bindingsAt, node) !== undefined
  );
}

/**
 * The records that a creation makes: first itself, then what the hooks grant.
 * @param creator Undefined where nobody in the graph makes it: what is granted to the creator is left out.
 */
export function recordsOfCreation(snapshot: Snapshot, creation: Creation, creator: string | undefined): EntityRecord[] {
  const { object, parents = [], description } = creation;
  const records: EntityRecord[] = [];
  if (object.startsWith(groupPrefix)) {
    records.push({ kind: 'group', group: object, ...(description ? { description } : {}) });
  }
  if (parents.length > 0) records.push({ kind: 'object', object, parents });
  else if (records.length === 0) records.push({ kind: 'object', object });
  for (const grant of snapshot.hooks.get(typeOf(object))?.grants ?? []) {
    const record = recordOfGrant(grant, object, creator);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function recordOfGrant(grant: HookGrant, object: string, creator: string | undefined): EntityRecord | undefined {
  const resolve = (who: string) => (who === 'creator' ? creator : who === 'created' ? object : who);
  if ('group' in grant) {
    const member = resolve(grant.member);
    const group = grant.group === 'created' ? object : grant.group;
    return member === undefined ? undefined : { kind: 'member', group, member };
  }
  const { role, scope = toScopeInput({ kind: 'object', object }), cascade, locked, note } = grant;
  const subject = resolve(grant.subject);
  if (subject === undefined) return undefined;
  return {
    kind: 'binding',
    subject,
    role,
    scope,
    ...(cascade === false ? { cascade } : {}),
    ...(locked === true ? { locked } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

/** Everything that goes with an object, a subject or a group: itself, its bindings, memberships and members. */
export function recordsOfRemoval(snapshot: Snapshot, name: string): EntityRecord[] {
  const { names } = snapshot;
  const node = names.findNode(name);
  const found = new Map<string, EntityRecord>();
  const add = (record: EntityRecord | undefined) => {
    if (record !== undefined) found.set(JSON.stringify([record.kind, entityKey(record)]), record);
  };
  for (const list of [at(snapshot.bindingsAt, node), at(snapshot.bindingsOf, node)]) {
    for (const chunk of chunksOf(list)) for (const binding of chunk) add(toBindingRecord(binding, names));
  }
  for (const edge of at(snapshot.groupsOf, node) ?? []) {
    add(recordAt(snapshot, 'member', JSON.stringify([names.nodeName(edge.node), name])));
  }
  for (const chunk of chunksOf(at(snapshot.membersOf, node))) {
    for (const edge of chunk) add(recordAt(snapshot, 'member', JSON.stringify([name, names.nodeName(edge.node)])));
  }
  add(objectAt(snapshot, name));
  add(at(snapshot.groupRecords, node));
  return [...found.values()];
}

/** A change that carries what it replaces. */
export function withBefore(snapshot: Snapshot, change: Change): Change {
  const before =
    change.op === 'put'
      ? recordAt(snapshot, change.record.kind, entityKey(change.record))
      : recordAt(snapshot, change.kind, change.key);
  if (change.op === 'put') return { op: 'put', record: change.record, ...(before === undefined ? {} : { before }) };
  return { op: 'delete', kind: change.kind, key: change.key, ...(before === undefined ? {} : { before }) };
}
