/**
 * The compiled, immutable role graph at one revision. Made only by draft.ts;
 * read by the engine. Everything is indexed by the integer ids of `names`,
 * and an id that a column does not know simply has nothing there.
 */

import type { Revision } from '../model/change.ts';
import type { AttributeTypes, ConditionChecker, ConditionCompiler } from '../model/condition.ts';
import type { AttributeRecord, ConstraintRecord, GroupRecord, HookRecord, Mode, TypeRecord } from '../model/entity.ts';
import type { Scope } from '../model/scope.ts';
import type { Binding } from './binding.ts';
import type { Chunked } from './chunked.ts';
import type { Edge } from './edge.ts';
import type { FlatBindingsAt, FlatBindingsOf } from './flat/bindings.ts';
import type { FlatDownEdges, FlatUpEdges } from './flat/edges.ts';
import { Names } from './names.ts';
import { emptyPaged, type Paged } from './paged.ts';
import type { PatternIndex, RegexCompiler } from './pattern.ts';
import type { Role } from './role.ts';

/** What cannot be written in a pure way, given once. */
export interface GraphOptions {
  readonly compileRegex: RegexCompiler;
  readonly compileCondition: ConditionCompiler;
  /** Holds conditions against declared attributes, when a graph is judged. */
  readonly checkCondition: ConditionChecker;
}

export interface Counts {
  readonly members: number;
  readonly objects: number;
  readonly bindings: number;
}

/** Pattern scopes that bindings of a type use, and the index over them. */
export interface TypePatterns {
  readonly scopes: ReadonlyMap<number, Scope>;
  readonly index: PatternIndex;
}

export interface Snapshot {
  readonly revision: Revision;
  readonly mode: Mode;
  readonly names: Names;
  readonly options: GraphOptions;
  readonly counts: Counts;
  /** Whether the tenant has a settings record. */
  readonly hasSettings: boolean;
  readonly typeRecords: ReadonlyMap<string, TypeRecord>;
  /** By name. */
  readonly attributeRecords: ReadonlyMap<string, AttributeRecord>;
  /** The types of these; undefined where there is none, and attributes are whatever is sent. */
  readonly attributeTypes: AttributeTypes | undefined;
  /** By the type whose creations they follow. */
  readonly hooks: ReadonlyMap<string, HookRecord>;
  /** By name. */
  readonly constraints: ReadonlyMap<string, ConstraintRecord>;
  /** By role id; undefined where a binding names a role that does not exist. */
  readonly roles: readonly (Role | undefined)[];
  /** By type id. */
  readonly patterns: ReadonlyMap<number, TypePatterns>;
  /** By node of a group. */
  readonly groupRecords: Paged<GroupRecord>;
  /** By node: whether it is a registered object. */
  readonly registered: Paged<true>;
  /** By member: its groups. */
  readonly groupsOf: Paged<readonly Edge[], FlatUpEdges>;
  /** By group: its members. */
  readonly membersOf: Paged<Chunked<Edge>, FlatDownEdges>;
  /** By object: its parents. */
  readonly parentsOf: Paged<readonly Edge[], FlatUpEdges>;
  /** By object: its children. */
  readonly childrenOf: Paged<Chunked<Edge>, FlatDownEdges>;
  /** By principal: its bindings, in byScope order. */
  readonly bindingsOf: Paged<Chunked<Binding>, FlatBindingsOf>;
  /** By scope: its bindings, in byPrincipal order. */
  readonly bindingsAt: Paged<Chunked<Binding>, FlatBindingsAt>;
}

/** The graph before the first change set. */
export function emptySnapshot(options: GraphOptions): Snapshot {
  return {
    revision: { epoch: '0', number: 0 },
    mode: 'enforce',
    names: new Names(),
    options,
    counts: { members: 0, objects: 0, bindings: 0 },
    hasSettings: false,
    typeRecords: new Map(),
    attributeRecords: new Map(),
    attributeTypes: undefined,
    hooks: new Map(),
    constraints: new Map(),
    roles: [],
    patterns: new Map(),
    groupRecords: emptyPaged(),
    registered: emptyPaged(),
    groupsOf: emptyPaged(),
    membersOf: emptyPaged(),
    parentsOf: emptyPaged(),
    childrenOf: emptyPaged(),
    bindingsOf: emptyPaged(),
    bindingsAt: emptyPaged(),
  };
}
