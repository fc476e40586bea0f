/**
 * A snapshot over a flat graph: takes its arrays as they are, and compiles what is left, roles and patterns. Whatever
 * changes later is written in pages above it, by the same drafts as everywhere.
 */
import type { Change, Revision } from '../../model/change.ts';
import type { GroupRecord } from '../../model/entity.ts';
import { scopeOfNode, toBindingRecord } from '../binding.ts';
import { chunksOf } from '../chunked.ts';
import { Draft } from '../draft.ts';
import { namingRecord } from '../named-record.ts';
import { Names } from '../names.ts';
import { at, type Base, pagedOver } from '../paged.ts';
import { PatternDraft } from '../pattern-draft.ts';
import { emptySnapshot, type GraphOptions, type Snapshot } from '../snapshot.ts';
import { FlatBindings, FlatBindingsAt, FlatBindingsOf } from './bindings.ts';
import { FlatDownEdges, FlatUpEdges } from './edges.ts';
import type { FlatGraph } from './graph.ts';
import { FlatNames } from './names.ts';
import { textAt } from './texts.ts';

/** @throws PosternError INVALID_POLICY for a role, a pattern or a type of an attribute that does not compile */
export function snapshotOf(flat: FlatGraph, options: GraphOptions, revision: Revision): Snapshot {
  const draft = draftOver(flat, options);
  draft.apply(plainChanges(flat));
  return draft.freeze(revision);
}

/** The plain records of a flat graph: they are put above it, for whoever compiles many of them in slices. */
export function plainChanges({ plain }: FlatGraph): readonly Change[] {
  return plain.map((record) => ({ op: 'put', record }));
}

/**
 * A draft above a flat graph, without its plain records.
 * @throws PosternError INVALID_POLICY for a pattern that does not compile
 */
export function draftOver(flat: FlatGraph, options: GraphOptions): Draft {
  const names = new Names({ flat: new FlatNames(flat.names, flat.seed), types: flat.types, roles: flat.roles });
  const bindings = new FlatBindings(flat.bindings, options.compileCondition);
  const bare: Snapshot = {
    ...emptySnapshot(options),
    names,
    counts: flat.counts,
    groupRecords: pagedOver(new FlatGroups(flat)),
    registered: pagedOver(new FlatFlags(flat.registered)),
    groupsOf: pagedOver(new FlatUpEdges(flat.groupsOf)),
    membersOf: pagedOver(new FlatDownEdges(flat.membersOf)),
    parentsOf: pagedOver(new FlatUpEdges(flat.parentsOf)),
    childrenOf: pagedOver(new FlatDownEdges(flat.childrenOf)),
    bindingsOf: pagedOver(new FlatBindingsOf(bindings)),
    bindingsAt: pagedOver(new FlatBindingsAt(bindings)),
  };
  const patterns = new PatternDraft(bare);
  for (const node of flat.patterns) {
    try {
      patterns.use(node, scopeOfNode(names.nodeName(node)));
    } catch (error) {
      throw namingOneAt(bare, node, error);
    }
  }
  return new Draft({ ...bare, patterns: patterns.freeze() });
}

/** The error of a scope, naming a binding that has it. */
function namingOneAt({ bindingsAt, names }: Snapshot, node: number, error: unknown): unknown {
  const bindings = at(bindingsAt, node);
  if (bindings === undefined) return error;
  for (const [first] of chunksOf(bindings)) {
    if (first !== undefined) return namingRecord(toBindingRecord(first, names), error);
  }
  return error;
}

class FlatFlags implements Base<true> {
  readonly #flags: Uint8Array;

  constructor(flags: Uint8Array) {
    this.#flags = flags;
  }

  get(node: number): true | undefined {
    return this.#flags[node] === 1 ? true : undefined;
  }
}

class FlatGroups implements Base<GroupRecord> {
  readonly #flat: FlatGraph;

  constructor(flat: FlatGraph) {
    this.#flat = flat;
  }

  get(node: number): GroupRecord | undefined {
    const index = this.#flat.groupOf[node] ?? -1;
    return index < 0 ? undefined : (JSON.parse(textAt(this.#flat.groups, index)) as GroupRecord);
  }
}
