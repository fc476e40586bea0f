/**
 * The arrays of a flat graph by the names that they have in a file, and back. Adding, removing or renaming one changes
 * the format: count formatVersion up then.
 */
import type { FlatGraph } from '../graph/flat/graph.ts';

export type FlatArray = Uint8Array | Int32Array | Float64Array;

/** Of the file; a file of another version is not read. */
export const formatVersion = 1;

export const arrayTypes = { u8: Uint8Array, i32: Int32Array, f64: Float64Array } as const;

export type ArrayType = keyof typeof arrayTypes;

export function typeOfArray(array: FlatArray): ArrayType {
  return array instanceof Uint8Array ? 'u8' : array instanceof Int32Array ? 'i32' : 'f64';
}

/** Every array of a graph; those that it does without are not among them. */
export function arraysOf(flat: FlatGraph): ReadonlyMap<string, FlatArray> {
  const found = new Map<string, FlatArray>();
  for (const [path, array] of entriesOf(flat as unknown as Tree, '')) found.set(path, array);
  return found;
}

/** What of a graph is no array. */
export type FlatFacts = Pick<FlatGraph, 'counts' | 'seed' | 'types' | 'roles' | 'plain'>;

/**
 * Puts a graph together.
 * @param take The array of a name, and of a type; undefined where the file has none.
 * @throws what `take` throws, and an Error that says which array is missing, or does not fit the others
 */
export function graphFrom(facts: FlatFacts, take: (name: string, type: ArrayType) => FlatArray | undefined): FlatGraph {
  const bytes = (name: string) => need(name, take(name, 'u8')) as Uint8Array;
  const ints = (name: string) => need(name, take(name, 'i32')) as Int32Array;
  const edges = (name: string) => ({
    offsets: ints(`${name}.offsets`),
    nodes: ints(`${name}.nodes`),
    expiresAt: take(`${name}.expiresAt`, 'f64') as Float64Array | undefined,
    closed: take(`${name}.closed`, 'u8') as Uint8Array | undefined,
  });
  const { counts, seed, types, roles, plain } = facts;
  const flat: FlatGraph = {
    counts,
    seed,
    types,
    roles,
    plain,
    names: {
      bytes: bytes('names.bytes'),
      ends: ints('names.ends'),
      slots: ints('names.slots'),
      types: ints('names.types'),
      byType: ints('names.byType'),
      typeEnds: ints('names.typeEnds'),
    },
    registered: bytes('registered'),
    groupOf: ints('groupOf'),
    groups: { bytes: bytes('groups.bytes'), ends: ints('groups.ends') },
    groupsOf: edges('groupsOf'),
    membersOf: edges('membersOf'),
    parentsOf: edges('parentsOf'),
    childrenOf: edges('childrenOf'),
    bindings: {
      ofOffsets: ints('bindings.ofOffsets'),
      principals: ints('bindings.principals'),
      scopes: ints('bindings.scopes'),
      roles: ints('bindings.roles'),
      expiresAt: take('bindings.expiresAt', 'f64') as Float64Array | undefined,
      extraOf: take('bindings.extraOf', 'i32') as Int32Array | undefined,
      extras: { bytes: bytes('bindings.extras.bytes'), ends: ints('bindings.extras.ends') },
      atOffsets: ints('bindings.atOffsets'),
      atRows: ints('bindings.atRows'),
      atPrincipals: ints('bindings.atPrincipals'),
    },
    patterns: ints('patterns'),
  };
  checkFit(flat);
  return flat;
}

interface Tree {
  readonly [name: string]: FlatArray | Tree | undefined;
}

function* entriesOf(tree: Tree, prefix: string): Generator<readonly [string, FlatArray], void> {
  for (const [name, value] of Object.entries(tree)) {
    if (value instanceof Uint8Array || value instanceof Int32Array || value instanceof Float64Array)
      yield [prefix + name, value];
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      yield* entriesOf(value, `${prefix}${name}.`);
  }
}

function need(name: string, array: FlatArray | undefined): FlatArray {
  if (array === undefined) throw new Error(`has no array ${name}`);
  return array;
}

/** Lengths that follow from one another: whoever reads the arrays looks at no bounds. */
function checkFit(flat: FlatGraph): void {
  const nodes = flat.names.ends.length;
  const rows = flat.bindings.principals.length;
  const { members, objects, bindings } = flat.counts;
  const slots = flat.names.slots.length / 2;
  const fits =
    nodes > 0 &&
    slots > nodes &&
    Number.isInteger(Math.log2(slots)) &&
    flat.names.types.length === nodes &&
    flat.names.typeEnds.length === flat.types.length &&
    flat.registered.length === nodes &&
    [0, nodes].includes(flat.groupOf.length) &&
    [flat.groupsOf, flat.membersOf, flat.parentsOf, flat.childrenOf].every(
      ({ offsets, nodes: ends }) => offsets.length === nodes + 1 && offsets[nodes] === ends.length,
    ) &&
    [flat.bindings.ofOffsets, flat.bindings.atOffsets].every(
      (offsets) => offsets.length === nodes + 1 && offsets[nodes] === rows,
    ) &&
    [flat.bindings.scopes, flat.bindings.roles, flat.bindings.atRows, flat.bindings.atPrincipals].every(
      ({ length }) => length === rows,
    ) &&
    members === flat.groupsOf.nodes.length &&
    objects <= nodes &&
    bindings === rows;
  if (!fits) throw new Error('has arrays that do not fit one another');
}
