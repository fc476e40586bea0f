/** A snapshot as a flat graph: what changes wrote above an older one becomes rows like all others. */
import { recordsOf } from '../records.ts';
import type { Snapshot } from '../snapshot.ts';
import { FlatBuilder } from './builder.ts';
import type { FlatGraph } from './graph.ts';

/** @param seed See FlatBuilder. */
export function flatten(snapshot: Snapshot, seed: number): FlatGraph {
  const builder = new FlatBuilder(seed);
  for (const record of recordsOf(snapshot)) builder.put(record);
  return builder.finish();
}
