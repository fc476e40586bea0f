/** The records of a snapshot, written back from its columns: for export, comparison and a snapshot on disk. */
import type { EntityRecord, ObjectRecord, ParentEdge } from '../model/entity.ts';
import { toBindingRecord } from './binding.ts';
import { at } from './paged.ts';
import type { Edge, Snapshot } from './snapshot.ts';

/** Every record, what is referred to before what refers to it. */
export function* recordsOf(snapshot: Snapshot): Generator<EntityRecord, void> {
  const { names } = snapshot;
  if (snapshot.hasSettings) yield { kind: 'settings', mode: snapshot.mode };
  yield* snapshot.typeRecords.values();
  yield* snapshot.attributeRecords.values();
  for (const role of snapshot.roles) if (role !== undefined) yield role.record;
  const count = names.nodes.length;
  for (let node = 0; node < count; node++) {
    const group = at(snapshot.groupRecords, node);
    if (group !== undefined) yield group;
  }
  for (let node = 0; node < count; node++) {
    const member = names.nodes[node] as string;
    for (const edge of at(snapshot.groupsOf, node) ?? []) {
      const group = names.nodes[edge.node] as string;
      yield { kind: 'member', group, member, ...(edge.expiresAt === 0 ? {} : { expiresAt: edge.expiresAt }) };
    }
  }
  for (let node = 0; node < count; node++) {
    if (at(snapshot.registered, node) === undefined) continue;
    yield toObjectRecord(snapshot, node);
  }
  for (let node = 0; node < count; node++) {
    for (const chunk of at(snapshot.bindingsOf, node)?.chunks ?? []) {
      for (const binding of chunk) yield toBindingRecord(binding, names);
    }
  }
  yield* snapshot.hooks.values();
  yield* snapshot.constraints.values();
}

/** The record of a registered object. */
export function toObjectRecord({ names, parentsOf }: Snapshot, node: number): ObjectRecord {
  const object = names.nodes[node] as string;
  const edges = at(parentsOf, node) ?? [];
  return edges.length === 0
    ? { kind: 'object', object }
    : { kind: 'object', object, parents: edges.map((edge) => toParentEdge(edge, names.nodes)) };
}

function toParentEdge(edge: Edge, nodes: readonly string[]): ParentEdge {
  const object = nodes[edge.node] as string;
  return edge.inherit ? { object } : { object, inherit: false };
}
