/** Puts what a builder collected in order: compressed rows, sorted, of equal identities the last. Called by builder.ts. */
import { sharedInts, sharedOctets, sharedTimes, toShared } from './arrays.ts';
import type { BindingArrays, ExtraText } from './bindings.ts';
import { denyFlag, roleShift } from './bindings.ts';
import type { Collected, Texts } from './collected.ts';
import type { EdgeArrays } from './edges.ts';
import { finishNames, textsOf } from './finish-names.ts';
import type { FlatGraph } from './graph.ts';
import { picked, type Rows, rowsBy, sortedRows } from './rows.ts';
import { type TextArrays, textAt } from './texts.ts';

export function finishFlat(collected: Collected): FlatGraph {
  const count = collected.names.count;
  const { names, types } = finishNames(collected.names);
  const roles = textsOf(collected.roles);
  const registered = sharedOctets(count);
  const objects = collected.objects.view();
  let objectCount = 0;
  for (const object of objects) {
    if (registered[object] === 0) objectCount++;
    registered[object] = 1;
  }
  const { groupsOf, membersOf } = finishMembers(collected, count);
  const { parentsOf, childrenOf } = finishParents(collected, count);
  const bindings = finishBindings(collected, count);
  return {
    counts: { members: groupsOf.nodes.length, objects: objectCount, bindings: bindings.principals.length },
    seed: collected.seed,
    names,
    types,
    roles,
    plain: [...collected.plain],
    registered,
    ...finishGroups(collected, count),
    groupsOf,
    membersOf,
    parentsOf,
    childrenOf,
    bindings,
    patterns: patternsOf(bindings, names.types, names, count),
  };
}

function finishMembers({ members }: Collected, count: number): { groupsOf: EdgeArrays; membersOf: EdgeArrays } {
  const member = members.member.view();
  const group = members.group.view();
  const expiresAt = members.expiresAt.view();
  const up = sortedRows(rowsBy(member, count), (a, b) => (group[a] as number) - (group[b] as number));
  const groupsOf: EdgeArrays = {
    offsets: up.offsets,
    nodes: picked(group, up.order),
    expiresAt: pickedTimes(expiresAt, up.order),
    closed: undefined,
  };
  // The upward rows come in the order of members, so the rows by group do too.
  const down = rowsBy(groupsOf.nodes, count);
  const membersOf: EdgeArrays = {
    offsets: down.offsets,
    nodes: picked(picked(member, up.order), down.order),
    expiresAt: pickedTimes(groupsOf.expiresAt, down.order),
    closed: undefined,
  };
  return { groupsOf, membersOf };
}

function finishParents(
  { objects, parents }: Collected,
  count: number,
): { parentsOf: EdgeArrays; childrenOf: EdgeArrays } {
  // Of an object that was put twice, only the edges of the last put count.
  const lastPut = sharedInts(count);
  const puts = objects.view();
  for (let put = 0; put < puts.length; put++) lastPut[puts[put] as number] = put;
  const put = parents.put.view();
  const object = sharedInts(put.length);
  for (let i = 0; i < object.length; i++) {
    const of = puts[put[i] as number] as number;
    object[i] = lastPut[of] === put[i] ? of : -1;
  }
  const up = rowsBy(object, count);
  const parent = picked(parents.parent.view(), up.order);
  const closed = pickedFlags(parents.closed.view(), up.order);
  const down = rowsBy(parent, count);
  return {
    parentsOf: { offsets: up.offsets, nodes: parent, expiresAt: undefined, closed },
    childrenOf: {
      offsets: down.offsets,
      nodes: picked(picked(object, up.order), down.order),
      expiresAt: undefined,
      closed: closed === undefined ? undefined : pickedFlags(Int32Array.from(closed), down.order),
    },
  };
}

function finishBindings({ bindings, extras }: Collected, count: number): BindingArrays {
  const principal = bindings.principal.view();
  const scope = bindings.scope.view();
  const role = bindings.role.view();
  const extra = bindings.extra.view();
  const namesOfExtras = extraNames(extras);
  const nameOf = (i: number) => namesOfExtras?.[extra[i] as number] ?? '';
  // As byScope of ../binding.ts has it, so that a row continues in a list that is written to.
  const compare = (a: number, b: number): number =>
    (scope[a] as number) - (scope[b] as number) ||
    ((role[a] as number) >> roleShift) - ((role[b] as number) >> roleShift) ||
    ((role[a] as number) & denyFlag) - ((role[b] as number) & denyFlag) ||
    (namesOfExtras === undefined ? 0 : compareTexts(nameOf(a), nameOf(b)));
  const of = sortedRows(rowsBy(principal, count), compare);
  const principals = picked(principal, of.order);
  const scopes = picked(scope, of.order);
  const at = rowsBy(scopes, count);
  const extraOf = picked(extra, of.order);
  return {
    ofOffsets: of.offsets,
    principals,
    scopes,
    roles: picked(role, of.order),
    expiresAt: pickedTimes(bindings.expiresAt.view(), of.order),
    extraOf: extraOf.some((index) => index >= 0) ? extraOf : undefined,
    extras: toTexts(extras),
    atOffsets: at.offsets,
    atRows: at.order,
    atPrincipals: picked(principals, at.order),
  };
}

/** By extra: the name of its bindings; undefined where no extra has one. */
function extraNames(extras: Texts): readonly string[] | undefined {
  const texts = { bytes: extras.bytes.bytes, ends: extras.ends.view() };
  const found = Array.from(texts.ends, (_, i) => (JSON.parse(textAt(texts, i)) as ExtraText).name ?? '');
  return found.some((name) => name !== '') ? found : undefined;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function finishGroups({ groups }: Collected, count: number): Pick<FlatGraph, 'groupOf' | 'groups'> {
  const nodes = groups.node.view();
  if (nodes.length === 0) return { groupOf: sharedInts(0), groups: toTexts(groups.texts) };
  const groupOf = sharedInts(count).fill(-1);
  for (let i = 0; i < nodes.length; i++) groupOf[nodes[i] as number] = i;
  return { groupOf, groups: toTexts(groups.texts) };
}

/** Nodes of scopes in use whose names are the JSON of a pattern. */
function patternsOf(
  { atOffsets }: BindingArrays,
  types: Int32Array,
  { bytes, ends }: FlatGraph['names'],
  count: number,
) {
  const brace = 0x7b;
  const found: number[] = [];
  for (let node = 1; node < count; node++) {
    const isUsed = atOffsets[node] !== atOffsets[node + 1];
    if (isUsed && types[node] === -1 && bytes[ends[node - 1] as number] === brace) found.push(node);
  }
  return toSharedInts(Int32Array.from(found));
}

function pickedTimes(values: Float64Array | undefined, order: Rows['order']): Float64Array | undefined {
  if (values === undefined) return undefined;
  const found = sharedTimes(order.length);
  for (let i = 0; i < order.length; i++) found[i] = values[order[i] as number] ?? 0;
  return found;
}

function pickedFlags(values: Int32Array, order: Rows['order']): Uint8Array | undefined {
  if (!order.some((i) => values[i] !== 0)) return undefined;
  return toShared(Uint8Array.from(order, (i) => values[i] as number));
}

function toSharedInts(values: Int32Array): Int32Array {
  const shared = sharedInts(values.length);
  shared.set(values);
  return shared;
}

function toTexts({ bytes, ends }: Texts): TextArrays {
  return { bytes: toShared(bytes.bytes.subarray(0, bytes.length)), ends: toSharedInts(ends.view()) };
}
