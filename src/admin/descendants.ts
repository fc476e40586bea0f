/** Whether two objects have something below them in common. Called by holdings.ts about denials; bounded. */
import { at } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';

/** Objects looked at below one; past them, everything is taken to be in common. */
const maxDescendants = 10_000;

/**
 * Whether bindings on the two nodes can reach one and the same object.
 * @param firstCascades Whether the descendants of the first are meant, too.
 * @param second -1 for an object that the graph does not know: it has no descendants.
 */
export function sharesObjects(
  snapshot: Snapshot,
  first: number,
  firstCascades: boolean,
  second: number,
  secondCascades: boolean,
): boolean {
  if (first === second) return true;
  const belowFirst = firstCascades ? descendants(snapshot, first) : new Set([first]);
  const belowSecond = secondCascades && second >= 0 ? descendants(snapshot, second) : new Set([second]);
  if (belowFirst === undefined || belowSecond === undefined) return true;
  for (const node of belowFirst) if (belowSecond.has(node)) return true;
  return false;
}

/** An object and what its bindings reach; undefined where that is too much to look at. */
function descendants(snapshot: Snapshot, start: number): ReadonlySet<number> | undefined {
  const found = new Set([start]);
  // A set may grow while it is walked: what is added is visited too.
  for (const node of found) {
    for (const chunk of at(snapshot.childrenOf, node)?.chunks ?? []) {
      for (const edge of chunk) if (edge.inherit) found.add(edge.node);
    }
    if (found.size > maxDescendants) return undefined;
  }
  return found;
}
