/**
 * Makes one flat graph of another and of what was changed since, in a worker of low priority: the pages above a graph
 * of a million bindings would grow to its size with time. Called by upkeep.ts.
 */
import { randomInt } from 'node:crypto';
import { runInWorker } from '../aside/run-in-worker.ts';
import type { FlatGraph } from '../graph/flat/graph.ts';
import type { ChangeSet } from '../model/change.ts';

/** What compact-worker.ts is given. */
export interface CompactTask {
  readonly flat: FlatGraph;
  /** At least one. */
  readonly since: readonly ChangeSet[];
  /** Of the hash of names. */
  readonly seed: number;
}

/** @throws what runInWorker throws */
export function compactAside(flat: FlatGraph, since: readonly ChangeSet[], signal: AbortSignal): Promise<FlatGraph> {
  const task: CompactTask = { flat, since, seed: randomInt(2 ** 31) };
  return runInWorker(new URL('./compact-worker', import.meta.url), task, signal);
}
