/** The roles that denials use. Looks at every binding, once for each snapshot that is asked about. */
import { chunksOf } from '../graph/chunked.ts';
import { at } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';

const known = new WeakMap<Snapshot, ReadonlySet<number>>();

/** Their ids. */
export function deniedRoles(snapshot: Snapshot): ReadonlySet<number> {
  const before = known.get(snapshot);
  if (before !== undefined) return before;
  const found = new Set<number>();
  for (let node = 0; node < snapshot.names.nodeCount; node++) {
    for (const chunk of chunksOf(at(snapshot.bindingsOf, node))) {
      for (const binding of chunk) if (binding.deny) found.add(binding.role);
    }
  }
  known.set(snapshot, found);
  return found;
}
