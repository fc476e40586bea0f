/**
 * Makes one flat graph of another and of what was changed since, in a worker of low priority: the pages above a graph
 * of a million bindings would grow to its size with time. Called by upkeep.ts.
 */
import { randomInt } from 'node:crypto';
import { runInWorker } from '../aside/run-in-worker.ts';
import type { FlatGraph } from '../graph/flat/graph.ts';
import type { Change, ChangeSet } from '../model/change.ts';

/** What compact-worker.ts is given; changes follow as messages, an empty list after the last. */
export interface CompactTask {
  readonly flat: FlatGraph;
  /** Of the hash of names. */
  readonly seed: number;
}

/** Changes in one message: copying them takes some 3 milliseconds of this thread. */
const changesInMessage = 4_000;

/** @throws what runInWorker throws */
export function compactAside(flat: FlatGraph, since: readonly ChangeSet[], signal: AbortSignal): Promise<FlatGraph> {
  const task: CompactTask = { flat, seed: randomInt(2 ** 31) };
  return runInWorker(new URL('./compact-worker', import.meta.url), task, signal, messagesOf(since));
}

function* messagesOf(since: readonly ChangeSet[]): Generator<readonly Change[], void> {
  let message: Change[] = [];
  for (const { changes } of since) {
    for (const change of changes) {
      message.push(change);
      if (message.length < changesInMessage) continue;
      yield message;
      message = [];
    }
  }
  if (message.length > 0) yield message;
  yield [];
}
