/** What a snapshot takes in memory, as far as its counts tell: for bounds on how many are kept. */
import type { Paged } from './paged.ts';
import type { Snapshot } from './snapshot.ts';

/** What one of each takes, in bytes; an edge is a membership, or an object with its parent, seen from both ends. */
interface Costs {
  readonly snapshot: number;
  /** Beyond its characters: its place in the table of names, and in the columns. */
  readonly name: number;
  readonly binding: number;
  readonly edge: number;
}

// Fitted to graphs of 100 to 1,000,000 bindings (test/graph/estimate-bytes.test.ts measures).
const paged: Costs = { snapshot: 40_000, name: 150, binding: 120, edge: 250 };
const flat: Costs = { snapshot: 100_000, name: 50, binding: 22, edge: 12 };
const perRole = 1_400;
const perPermission = 300;
/** A page that was written above a flat column, and what it leads to. */
const perPage = 6_000;
/** Names whose lengths stand for all. */
const sample = 64;

/**
 * About how many bytes a snapshot keeps in memory by itself, names included; conditions, notes and descriptions are not
 * counted. Takes microseconds at any number of bindings, and a time that grows with the number of roles.
 */
export function estimateBytes(snapshot: Snapshot): number {
  const { names, counts, roles } = snapshot;
  const isFlat = snapshot.bindingsOf.base !== undefined;
  const per = isFlat ? flat : paged;
  let bytes = per.snapshot + names.nodeCount * per.name;
  bytes += counts.bindings * per.binding + (counts.members + counts.objects) * per.edge;
  bytes += charactersOf(snapshot) + (isFlat ? writtenPages(snapshot) * perPage : 0);
  for (const role of roles) {
    if (role !== undefined) bytes += perRole + role.record.permissions.length * perPermission;
  }
  return Math.round(bytes);
}

/** Of all names, from the lengths of some. */
function charactersOf({ names }: Snapshot): number {
  const step = Math.max(1, Math.floor(names.nodeCount / sample));
  let characters = 0;
  let seen = 0;
  for (let node = 0; node < names.nodeCount; node += step) {
    characters += names.nodeName(node).length;
    seen++;
  }
  return (characters / seen) * names.nodeCount;
}

function writtenPages({ groupsOf, membersOf, parentsOf, childrenOf, bindingsOf, bindingsAt }: Snapshot): number {
  const columns: readonly Pick<Paged<unknown>, 'pages'>[] = [
    groupsOf,
    membersOf,
    parentsOf,
    childrenOf,
    bindingsOf,
    bindingsAt,
  ];
  let written = 0;
  for (const { pages } of columns) for (const page of pages) if (page !== undefined) written++;
  return written;
}
