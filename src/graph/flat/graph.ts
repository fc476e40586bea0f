/**
 * A whole graph as plain data: integers in typed arrays, names as bytes, and the few records that are compiled anyway.
 * A worker builds it, any thread can read it without a copy, and a file keeps it as it is. snapshot-of.ts makes a
 * snapshot of it.
 */
import type {
  AttributeRecord,
  ConstraintRecord,
  HookRecord,
  RoleRecord,
  SettingsRecord,
  TypeRecord,
} from '../../model/entity.ts';
import type { Counts } from '../snapshot.ts';
import type { BindingArrays } from './bindings.ts';
import type { EdgeArrays } from './edges.ts';
import type { NameArrays } from './names.ts';
import type { TextArrays } from './texts.ts';

/** Records of which a graph has few: they are kept as they are. */
export type PlainRecord = SettingsRecord | TypeRecord | AttributeRecord | RoleRecord | HookRecord | ConstraintRecord;

export interface FlatGraph {
  readonly counts: Counts;
  /** Of the hash of names. */
  readonly seed: number;
  readonly names: NameArrays;
  readonly types: readonly string[];
  readonly roles: readonly string[];
  readonly plain: readonly PlainRecord[];
  /** By node: 1 where it is a registered object. */
  readonly registered: Uint8Array;
  /** By node: the index of its group record in `groups`, or -1; empty where no group has one. */
  readonly groupOf: Int32Array;
  /** JSON of GroupRecord. */
  readonly groups: TextArrays;
  /** From members to groups, and from groups to members. */
  readonly groupsOf: EdgeArrays;
  readonly membersOf: EdgeArrays;
  /** From objects to parents, in the order in which they were written, and from parents to children. */
  readonly parentsOf: EdgeArrays;
  readonly childrenOf: EdgeArrays;
  readonly bindings: BindingArrays;
  /** Nodes of the pattern scopes that bindings use. */
  readonly patterns: Int32Array;
}

/** Bytes that a flat graph takes, without its plain records. */
export function bytesOfFlat(flat: FlatGraph): number {
  let bytes = 0;
  const add = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) bytes += value.byteLength;
  };
  for (const part of Object.values(flat)) {
    add(part);
    if (typeof part === 'object' && !ArrayBuffer.isView(part) && !Array.isArray(part)) Object.values(part).forEach(add);
  }
  for (const value of Object.values(flat.bindings.extras)) add(value);
  return bytes;
}
