/**
 * Finds the bindings between a walk's principals and scopes, from the side that has fewer, and hands each to
 * weighing.ts. Reads lists that changes wrote and the flat rows below them alike; makes no binding of a row that does
 * not reach.
 */
import type { Binding } from '../graph/binding.ts';
import { type Chunk, type Chunked, firstOf } from '../graph/chunked.ts';
import type { FlatBindings } from '../graph/flat/bindings.ts';
import { FlatStretch } from '../graph/flat/stretch.ts';
import { isThere, writtenAt } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Walk } from './walk.ts';
import { weighBinding } from './weighing.ts';

// Both sides hold all candidates; the side with fewer bindings is walked. A long
// list at a scope costs no more than a binary search for each principal, so that
// neither a group with 100,000 bindings nor a tenant scope with 100,000 subjects
// makes a question slow.
const searchCost = 16;

// Below this many bindings at the scopes, looking at what the principals have
// would cost more (in a large graph, a cache miss each) than it could save.
const fewBindings = 32;

export function cheaperFromPrincipals(snapshot: Snapshot, walk: Walk): boolean {
  const fromScopes = costFromScopes(snapshot, walk);
  return fromScopes > fewBindings && costFromPrincipals(snapshot, walk) <= fromScopes;
}

function costFromPrincipals(snapshot: Snapshot, walk: Walk): number {
  let cost = 0;
  for (let i = 0; i < walk.principals.length; i++) cost += sizeAt(snapshot.bindingsOf, walk.principals.at(i));
  return cost;
}

function costFromScopes(snapshot: Snapshot, walk: Walk): number {
  const most = walk.principals.length * searchCost;
  let cost = 0;
  for (let i = 0; i < walk.scopes.length; i++) {
    cost += Math.min(sizeAt(snapshot.bindingsAt, walk.scopes.at(i)), most);
  }
  return cost;
}

function sizeAt(column: Snapshot['bindingsOf'] | Snapshot['bindingsAt'], node: number): number {
  const list = writtenAt(column, node);
  if (list === undefined) return column.base === undefined ? 0 : column.base.sizeOf(node);
  return isThere(list) ? list.size : 0;
}

/** Weighs what the principals have on the scopes. */
export function weighPrincipals(snapshot: Snapshot, walk: Walk, nowMs: number): void {
  const column = snapshot.bindingsOf;
  const flat = column.base?.flat;
  for (let i = 0; i < walk.principals.length; i++) {
    const principal = walk.principals.at(i);
    const list = writtenAt(column, principal);
    if (list === undefined) {
      if (flat === undefined || principal >= flat.count) continue;
      const { ofOffsets } = flat.arrays;
      weighRows(snapshot, walk, flat, ofOffsets[principal] as number, ofOffsets[principal + 1] as number, nowMs);
    } else if (isThere(list)) weighThoseAtScopes(snapshot, walk, list, nowMs);
  }
}

function weighThoseAtScopes(snapshot: Snapshot, walk: Walk, list: Chunked<Binding>, nowMs: number): void {
  for (let c = 0; c < list.chunks.length; c++) {
    const chunk = list.chunks[c] as Chunk<Binding>;
    if (chunk instanceof FlatStretch) {
      weighRows(snapshot, walk, flatOf(snapshot), chunk.start, chunk.end, nowMs);
      continue;
    }
    for (let j = 0; j < chunk.length; j++) {
      const binding = (chunk as readonly Binding[])[j] as Binding;
      if (walk.scopes.has(binding.scope)) weighBinding(snapshot, walk, binding, nowMs);
    }
  }
}

function weighRows(
  snapshot: Snapshot,
  walk: Walk,
  flat: FlatBindings,
  start: number,
  end: number,
  nowMs: number,
): void {
  const { scopes } = flat.arrays;
  for (let row = start; row < end; row++) {
    if (walk.scopes.has(scopes[row] as number)) weighBinding(snapshot, walk, flat.binding(row), nowMs);
  }
}

/** Weighs what is bound at one scope to the principals. */
export function weighScope(snapshot: Snapshot, walk: Walk, scope: number, nowMs: number): void {
  if (scope < 0) return;
  const column = snapshot.bindingsAt;
  const list = writtenAt(column, scope);
  if (list !== undefined) {
    if (!isThere(list)) return;
    if (list.size <= walk.principals.length * searchCost) weighList(snapshot, walk, list, nowMs);
    else {
      for (let i = 0; i < walk.principals.length; i++)
        searchPrincipal(snapshot, walk, list, walk.principals.at(i), nowMs);
    }
    return;
  }
  const flat = column.base?.flat;
  if (flat === undefined || scope >= flat.count) return;
  const start = flat.arrays.atOffsets[scope] as number;
  const end = flat.arrays.atOffsets[scope + 1] as number;
  if (end - start <= walk.principals.length * searchCost) weighPlaces(snapshot, walk, flat, start, end, nowMs);
  else {
    for (let i = 0; i < walk.principals.length; i++)
      searchPlaces(snapshot, walk, flat, start, end, walk.principals.at(i), nowMs);
  }
}

function weighList(snapshot: Snapshot, walk: Walk, list: Chunked<Binding>, nowMs: number): void {
  for (let c = 0; c < list.chunks.length; c++) {
    const chunk = list.chunks[c] as Chunk<Binding>;
    if (chunk instanceof FlatStretch) {
      weighPlaces(snapshot, walk, flatOf(snapshot), chunk.start, chunk.end, nowMs);
      continue;
    }
    for (let j = 0; j < chunk.length; j++) {
      const binding = (chunk as readonly Binding[])[j] as Binding;
      if (walk.principals.has(binding.principal)) weighBinding(snapshot, walk, binding, nowMs);
    }
  }
}

function weighPlaces(
  snapshot: Snapshot,
  walk: Walk,
  flat: FlatBindings,
  start: number,
  end: number,
  nowMs: number,
): void {
  const { atRows, atPrincipals } = flat.arrays;
  for (let place = start; place < end; place++) {
    if (!walk.principals.has(atPrincipals[place] as number)) continue;
    weighBinding(snapshot, walk, flat.binding(atRows[place] as number), nowMs);
  }
}

/** Weighs the bindings of one principal in a list in byPrincipal order. */
function searchPrincipal(
  snapshot: Snapshot,
  walk: Walk,
  list: Chunked<Binding>,
  principal: number,
  nowMs: number,
): void {
  const { chunks } = list;
  let low = 0;
  let high = chunks.length - 1;
  // The last chunk that begins before the principal: its bindings may begin there.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firstOf(chunks[middle] as Chunk<Binding>).principal < principal) low = middle;
    else high = middle - 1;
  }
  for (let c = low; c < chunks.length; c++) {
    const chunk = chunks[c] as Chunk<Binding>;
    if (firstOf(chunk).principal > principal) return;
    if (chunk instanceof FlatStretch) {
      searchPlaces(snapshot, walk, flatOf(snapshot), chunk.start, chunk.end, principal, nowMs);
      continue;
    }
    const bindings = chunk as readonly Binding[];
    for (let j = firstWith(bindings, principal); j < bindings.length; j++) {
      const binding = bindings[j] as Binding;
      if (binding.principal !== principal) return;
      weighBinding(snapshot, walk, binding, nowMs);
    }
  }
}

function firstWith(bindings: readonly Binding[], principal: number): number {
  let low = 0;
  let high = bindings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bindings[middle] as Binding).principal < principal) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same among places of flat rows. */
function searchPlaces(
  snapshot: Snapshot,
  walk: Walk,
  flat: FlatBindings,
  start: number,
  end: number,
  principal: number,
  nowMs: number,
): void {
  const { atRows, atPrincipals } = flat.arrays;
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((atPrincipals[middle] as number) < principal) low = middle + 1;
    else high = middle;
  }
  for (let place = low; place < end && atPrincipals[place] === principal; place++) {
    weighBinding(snapshot, walk, flat.binding(atRows[place] as number), nowMs);
  }
}

/** Where a list has a stretch, the graph was loaded flat. */
function flatOf({ bindingsOf }: Snapshot): FlatBindings {
  return bindingsOf.base?.flat as FlatBindings;
}
