/** One record of a snapshot by its identity: for history, and for whoever judges a change by what it replaces. */
import type { BindingRecord, EntityKind, EntityRecord, MemberRecord, ObjectRecord } from '../model/entity.ts';
import { parseScope, type ScopeInput } from '../model/scope.ts';
import { nodeNameOfScope, toBindingRecord } from './binding.ts';
import { chunksOf } from './chunked.ts';
import { at } from './paged.ts';
import { toObjectRecord } from './records.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The record, or undefined where there is none.
 * @param key See entityKey; keys of members and bindings are JSON.
 */
export function recordAt(snapshot: Snapshot, kind: EntityKind, key: string): EntityRecord | undefined {
  switch (kind) {
    case 'settings':
      return snapshot.hasSettings ? { kind, mode: snapshot.mode } : undefined;
    case 'type':
      return snapshot.typeRecords.get(key);
    case 'attribute':
      return snapshot.attributeRecords.get(key);
    case 'role':
      return snapshot.roles[snapshot.names.findRole(key)]?.record;
    case 'group':
      return at(snapshot.groupRecords, snapshot.names.findNode(key));
    case 'member':
      return memberAt(snapshot, JSON.parse(key) as [string, string]);
    case 'object':
      return objectAt(snapshot, key);
    case 'hook':
      return snapshot.hooks.get(key);
    case 'constraint':
      return snapshot.constraints.get(key);
    case 'binding':
      return bindingAt(snapshot, JSON.parse(key) as BindingKey);
  }
}

/** A registered object, or undefined. */
export function objectAt(snapshot: Snapshot, object: string): ObjectRecord | undefined {
  const node = snapshot.names.findNode(object);
  return at(snapshot.registered, node) === undefined ? undefined : toObjectRecord(snapshot, node);
}

function memberAt(snapshot: Snapshot, [group, member]: readonly [string, string]): MemberRecord | undefined {
  const { names } = snapshot;
  const groupNode = names.findNode(group);
  const edge = at(snapshot.groupsOf, names.findNode(member))?.find(({ node }) => node === groupNode);
  if (edge === undefined || groupNode < 0) return undefined;
  return { kind: 'member', group, member, ...(edge.expiresAt === 0 ? {} : { expiresAt: edge.expiresAt }) };
}

type BindingKey = readonly [subject: string, role: string, scope: ScopeInput, effect: string, name?: string];

function bindingAt(snapshot: Snapshot, [subject, role, scope, effect, name]: BindingKey): BindingRecord | undefined {
  const { names } = snapshot;
  const roleId = names.findRole(role);
  const principal = names.findNode(subject);
  const scopeNode = names.findNode(nodeNameOfScope(parseScope(scope)));
  const ofPrincipal = at(snapshot.bindingsOf, principal);
  const atScope = at(snapshot.bindingsAt, scopeNode);
  if (ofPrincipal === undefined || atScope === undefined) return undefined;
  for (const chunk of chunksOf(ofPrincipal.size < atScope.size ? ofPrincipal : atScope)) {
    for (const binding of chunk) {
      if (binding.principal !== principal || binding.scope !== scopeNode || binding.role !== roleId) continue;
      if (binding.deny === (effect === 'deny') && binding.extra?.name === name) return toBindingRecord(binding, names);
    }
  }
  return undefined;
}
