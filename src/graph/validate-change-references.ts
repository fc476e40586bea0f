/**
 * What changes refer to, and what still refers to the things that they delete. Called by validate-changes.ts. Only
 * the deletion of a role looks through all bindings.
 */

import { quote } from '../model/names.ts';
import { keyOfBinding } from './binding.ts';
import type { ChangeContext, PlacedDelete } from './changed.ts';
import { itemsOf } from './chunked.ts';
import { at } from './paged.ts';
import { bindingsOf } from './records.ts';
import type { Snapshot } from './snapshot.ts';
import { createNearest } from './validate-nearest.ts';
import { createReferenceCheck, type Known } from './validate-references.ts';
import { listed, plain } from './validate-text.ts';

/** Comparisons of names in one commit: a writer waits, and so does everybody who is asking. */
const maxComparisons = 100_000;

export function checkChangedReferences(context: ChangeContext): void {
  const { before, after, changed, list } = context;
  const nearest = createNearest(context.suggest, maxComparisons);
  const check = createReferenceCheck(rolesOf(after), objectsOf(after), nearest, list.report);
  for (const put of changed.puts) check(put);
  for (const one of changed.deletes) if (one.kind === 'object') checkDeletedObject(one, context);
  const roles = changed.deletes.filter((one) => one.kind === 'role' && rolesOf(before).has(one.key));
  if (roles.length > 0) checkDeletedRoles(roles, context);
}

function checkDeletedObject({ kind, key, index }: PlacedDelete, { after, list }: ChangeContext): void {
  const children = at(after.childrenOf, after.names.findNode(key));
  if (children === undefined) return;
  const named = itemsOf(children, 3).map(({ node }) => plain(after.names.nodeName(node)));
  const message = `object ${quote(key)} is still the parent of ${withMore(named, children.size)}; move or delete those first`;
  list.add({ index, kind, key, field: [], message });
}

/** Those that still name a role. */
interface Uses {
  readonly named: string[];
  count: number;
}

function checkDeletedRoles(deletes: readonly PlacedDelete[], { after, list }: ChangeContext): void {
  const uses = new Map<string, Uses>(deletes.map(({ key }) => [key, { named: [], count: 0 }]));
  const note = (role: string, describe: () => string) => {
    const ofRole = uses.get(role);
    if (ofRole !== undefined && ofRole.count++ < 3) ofRole.named.push(describe());
  };
  noteBindings(after, new Set(uses.keys()), note);
  for (const role of after.roles) {
    for (const included of role?.record.includes ?? []) note(included, () => `role ${plain(role?.name ?? '')}`);
  }
  for (const { type, grants } of after.hooks.values()) {
    for (const grant of grants) if ('role' in grant) note(grant.role, () => `the hook of ${plain(type)}`);
  }
  for (const { name, roles } of after.constraints.values()) {
    for (const role of roles) note(role, () => `constraint ${plain(name)}`);
  }
  for (const { kind, key, index } of deletes) {
    const { named, count } = uses.get(key) as Uses;
    if (count === 0) continue;
    const message = `role ${quote(key)} is still named by ${withMore(named, count)}; delete those first`;
    list.add({ index, kind, key, field: [], message });
  }
}

/** Looks through all bindings: they are not kept by role, because nothing that decides asks for them so. */
function noteBindings(
  snapshot: Snapshot,
  deleted: ReadonlySet<string>,
  note: (role: string, describe: () => string) => void,
): void {
  const { names } = snapshot;
  const roles = new Map([...deleted].map((role) => [names.findRole(role), role]));
  for (const binding of bindingsOf(snapshot)) {
    const role = roles.get(binding.role);
    if (role !== undefined) note(role, () => `binding ${keyOfBinding(binding, names)}`);
  }
}

/** "a, b, c and 17 more". */
function withMore(named: readonly string[], count: number): string {
  return count > named.length ? `${named.join(', ')} and ${count - named.length} more` : listed(named, 'and');
}

function rolesOf({ names, roles }: Snapshot): Known {
  return {
    size: roles.length,
    has: (name) => roles[names.findRole(name)] !== undefined,
    keys: () => roles.flatMap((role) => role?.name ?? []),
  };
}

function objectsOf({ names, registered, counts }: Snapshot): Known {
  return {
    size: Math.max(counts.objects, names.nodeCount),
    has: (name) => at(registered, names.findNode(name)) !== undefined,
    keys: () =>
      Array.from({ length: names.nodeCount }, (_, node) => node)
        .filter((node) => at(registered, node) !== undefined)
        .map((node) => names.nodeName(node)),
  };
}
