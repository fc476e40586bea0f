/** The records of a snapshot, written back from its columns: for export, comparison and a snapshot on disk. */

import type { EntityRecord, ObjectRecord, ParentEdge } from '../model/entity.ts';
import { type Binding, toBindingRecord } from './binding.ts';
import { chunksOf } from './chunked.ts';
import type { Edge } from './edge.ts';
import type { Names } from './names.ts';
import { at } from './paged.ts';
import type { Snapshot } from './snapshot.ts';

/** Every record, what is referred to before what refers to it. */
export function* recordsOf(snapshot: Snapshot): Generator<EntityRecord, void> {
  const { names } = snapshot;
  if (snapshot.hasSettings) yield { kind: 'settings', mode: snapshot.mode };
  yield* snapshot.typeRecords.values();
  yield* snapshot.attributeRecords.values();
  for (const role of snapshot.roles) if (role !== undefined) yield role.record;
  const count = names.nodeCount;
  for (let node = 0; node < count; node++) {
    const group = at(snapshot.groupRecords, node);
    if (group !== undefined) yield group;
  }
  for (let node = 0; node < count; node++) {
    const member = names.nodeName(node);
    for (const edge of at(snapshot.groupsOf, node) ?? []) {
      const group = names.nodeName(edge.node);
      yield { kind: 'member', group, member, ...(edge.expiresAt === 0 ? {} : { expiresAt: edge.expiresAt }) };
    }
  }
  for (let node = 0; node < count; node++) {
    if (at(snapshot.registered, node) === undefined) continue;
    yield toObjectRecord(snapshot, node);
  }
  for (const binding of bindingsOf(snapshot)) yield toBindingRecord(binding, names);
  yield* snapshot.hooks.values();
  yield* snapshot.constraints.values();
}

/** Every binding, one principal after another. */
export function* bindingsOf({ names, bindingsOf }: Snapshot): Generator<Binding, void> {
  for (let node = 0; node < names.nodeCount; node++) {
    for (const chunk of chunksOf(at(bindingsOf, node))) yield* chunk;
  }
}

/** The record of a registered object. */
export function toObjectRecord({ names, parentsOf }: Snapshot, node: number): ObjectRecord {
  const object = names.nodeName(node);
  const edges = at(parentsOf, node) ?? [];
  return edges.length === 0
    ? { kind: 'object', object }
    : { kind: 'object', object, parents: edges.map((edge) => toParentEdge(edge, names)) };
}

function toParentEdge(edge: Edge, names: Names): ParentEdge {
  const object = names.nodeName(edge.node);
  return edge.inherit ? { object } : { object, inherit: false };
}
