/**
 * What an object gains and loses by a change of its place: bindings on new ancestors reach it, denials on old ones do
 * not any more. Both are judged as if they had been granted on it by hand. Called by widening.ts.
 */

import { type Binding, scopeOfNode } from '../graph/binding.ts';
import { type Chunked, chunksOf } from '../graph/chunked.ts';
import { at, type Paged } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { parseScope } from '../model/scope.ts';
import { type Held, heldBy } from './cover.ts';
import { deniedRoles } from './denied-roles.ts';
import { type Extent, grantsOf } from './holdings.ts';
import { type Case, checkHeld } from './steps.ts';

/** Reports what a moved object would give to others that the caller does not hold on it. */
export function checkMove(judged: Case, after: Snapshot, index: number, object: string): void {
  const { start } = judged;
  const before = lineageOf(start, object);
  const later = lineageOf(after, object);
  const doing = 'let what is granted above a new parent reach what is below: it';
  const added = new Set([...later].filter((node) => !before.has(node)));
  for (const [role, until] of rolesAt(after, added, (binding) => binding.cascade && !binding.deny)) {
    checkReach(judged, after, index, object, role, until, doing, later);
  }
  checkHeld(judged, index, doing, permissionsOn(after, added), extentOn(object, undefined));
  checkLostDenials(judged, index, object, new Set([...before].filter((node) => !later.has(node))));
}

/** Reports denials that go with a removal, of what the caller does not hold. */
export function checkRemovedDenials(judged: Case, index: number, name: string): void {
  const { start } = judged;
  const { names } = start;
  const node = names.findNode(name);
  const groups = new Set([node]);
  // A set may grow while it is walked: what is added is visited too.
  for (const group of groups) for (const edge of at(start.groupsOf, group) ?? []) groups.add(edge.node);
  for (const group of groups) {
    for (const binding of bindingsIn(start.bindingsOf, group)) {
      if (!binding.deny) continue;
      const scope = scopeOfNode(names.nodeName(binding.scope));
      const extent = { scope, cascade: binding.cascade, until: endOf(binding) };
      checkRole(judged, start, index, binding, `remove ${name}, for which there is a denial`, extent);
    }
  }
  checkLostDenials(judged, index, name, new Set([...lineageOf(start, name), node]));
}

/** Whether somebody may gain access to an object by its new place, or by its going. */
export function movingWidens(start: Snapshot, after: Snapshot, object: string): boolean {
  const before = lineageOf(start, object);
  const later = lineageOf(after, object);
  const added = new Set([...later].filter((node) => !before.has(node)));
  const lost = new Set([...before].filter((node) => !later.has(node)));
  return (
    rolesAt(after, added, (binding) => binding.cascade && !binding.deny).size > 0 ||
    permissionsOn(after, added).length > 0 ||
    rolesAt(start, lost, (binding) => binding.cascade && binding.deny).size > 0 ||
    (permissionsOn(start, lost).length > 0 && deniedRoles(start).size > 0)
  );
}

function checkLostDenials(judged: Case, index: number, object: string, lost: ReadonlySet<number>): void {
  const { start } = judged;
  const doing = 'take an object from under a denial, or remove it:';
  for (const [role, until] of rolesAt(start, lost, (binding) => binding.deny)) {
    checkReach(judged, start, index, object, role, until, doing, lost);
  }
  const named = permissionsOn(start, lost);
  if (named.length > 0 && deniedRoles(start).size > 0)
    checkHeld(judged, index, doing, named, extentOn(object, undefined));
}

function checkReach(
  judged: Case,
  snapshot: Snapshot,
  index: number,
  object: string,
  roleId: number,
  until: number | undefined,
  doing: string,
  lineage: ReadonlySet<number>,
): void {
  const role = snapshot.roles[roleId];
  if (role === undefined) return;
  const given = [...grantsOf(snapshot, role)].map((held) => unbound(snapshot, held, lineage));
  checkHeld(judged, index, doing, given, extentOn(object, until));
}

/** The roles of the bindings on some nodes, each with the time until which the longest of them holds. */
function rolesAt(
  snapshot: Snapshot,
  nodes: ReadonlySet<number>,
  counts: (binding: Binding) => boolean,
): ReadonlyMap<number, number | undefined> {
  const roles = new Map<number, number | undefined>();
  for (const node of nodes) {
    for (const binding of bindingsIn(snapshot.bindingsAt, node)) {
      if (!counts(binding)) continue;
      const end = endOf(binding);
      const known = roles.get(binding.role);
      const isLonger = end === undefined || (known !== undefined && end > known);
      if (!roles.has(binding.role) || isLonger) roles.set(binding.role, end);
    }
  }
  return roles;
}

function checkRole(
  judged: Case,
  snapshot: Snapshot,
  index: number,
  binding: Binding,
  doing: string,
  extent: Extent,
): void {
  const role = snapshot.roles[binding.role];
  if (role !== undefined) checkHeld(judged, index, doing, grantsOf(snapshot, role), extent);
}

/** Permissions that roles name for one of these objects and what is below it, wherever the role is bound. */
function permissionsOn(snapshot: Snapshot, nodes: ReadonlySet<number>): Held[] {
  if (nodes.size === 0) return [];
  return snapshot.roles.flatMap((role) => {
    if (role === undefined) return [];
    const named = heldBy(role.record).filter((held) => isFor(snapshot, held, nodes));
    return named.map((held) => unbound(snapshot, held, nodes));
  });
}

/**
 * A permission for the object that it would reach: one that is narrowed to an ancestor is not had on what is not
 * below it yet, however many roles name it.
 */
function unbound(snapshot: Snapshot, held: Held, nodes: ReadonlySet<number>): Held {
  if (!isFor(snapshot, held, nodes)) return held;
  return { permission: { ...held.permission, objects: undefined }, except: held.except };
}

function isFor(snapshot: Snapshot, { permission }: Held, nodes: ReadonlySet<number>): boolean {
  const { objects } = permission;
  return objects?.kind === 'object' && nodes.has(snapshot.names.findNode(objects.object));
}

/** The ancestors of an object through inheriting edges, without itself. */
function lineageOf(snapshot: Snapshot, object: string): ReadonlySet<number> {
  const start = snapshot.names.findNode(object);
  const found = new Set([start]);
  // A set may grow while it is walked: what is added is visited too.
  for (const node of found)
    for (const edge of at(snapshot.parentsOf, node) ?? []) if (edge.inherit) found.add(edge.node);
  found.delete(start);
  return found;
}

function* bindingsIn(column: Paged<Chunked<Binding>>, node: number): Generator<Binding, void> {
  for (const chunk of chunksOf(at(column, node))) yield* chunk;
}

function extentOn(object: string, until: number | undefined): Extent {
  return { scope: parseScope({ object }), cascade: true, until };
}

function endOf(binding: Binding): number | undefined {
  return binding.expiresAt === 0 ? undefined : binding.expiresAt;
}
