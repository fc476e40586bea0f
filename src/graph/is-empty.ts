/** Whether a graph holds nothing at all, which is what the deletion of its tenant leaves behind. */
import { recordsOf } from './records.ts';
import type { Snapshot } from './snapshot.ts';

export function isEmpty(snapshot: Snapshot): boolean {
  const { members, objects, bindings } = snapshot.counts;
  return members + objects + bindings === 0 && recordsOf(snapshot).next().done === true;
}
