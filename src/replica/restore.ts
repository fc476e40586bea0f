/** A tenant's graph from disk, ready to be put in force before the store has been heard of. Called by the replica. */
import { conditionsIn } from '../graph/flat/conditions.ts';
import { toPosternError } from '../model/errors.ts';
import type { LoadedGraph } from './load-graph.ts';
import type { ReplicaOptions } from './options.ts';
import { Slices } from './slices.ts';

export interface Restored extends LoadedGraph {
  /** How long ago it was last known to be the store's newest, in milliseconds. */
  readonly ageMs: number;
  readonly tookMs: number;
}

/** Undefined where none was saved, and where what is there is not to be believed: that is told as an event. */
export async function restore(options: ReplicaOptions): Promise<Restored | undefined> {
  const { save, tenant, graph, now, onEvent } = options;
  const startedMs = now();
  try {
    const saved = await save?.directory.read(tenant);
    if (saved === undefined) return undefined;
    const { flat, revision, knownAtMs } = saved;
    const slices = new Slices();
    for (const condition of conditionsIn(flat)) {
      await slices.pause();
      graph.compileCondition(condition);
    }
    const snapshot = await slices.over(flat, graph, revision);
    const atMs = now();
    // A clock that was set back must not make it the newest: it is as far from now as the clock can tell.
    const ageMs = Math.abs(atMs - knownAtMs);
    return { snapshot, base: { flat, since: [] }, ageMs, tookMs: atMs - startedMs };
  } catch (error) {
    onEvent({ kind: 'problem', error: toPosternError(error) });
    return undefined;
  }
}
