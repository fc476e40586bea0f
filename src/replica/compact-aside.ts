/**
 * Makes one flat graph of another and of what was changed since, in a worker of low priority: the pages above a graph
 * of a million bindings would grow to its size with time. Called by upkeep.ts.
 */
import { randomInt } from 'node:crypto';
import { Worker } from 'node:worker_threads';
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

/** @throws Error where the worker ended without a result; what the signal was aborted with */
export async function compactAside(
  flat: FlatGraph,
  since: readonly ChangeSet[],
  signal: AbortSignal,
): Promise<FlatGraph> {
  signal.throwIfAborted();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const task: CompactTask = { flat, since, seed: randomInt(2 ** 31) };
  // Options of this process may be none for a worker (--input-type), which would end it at once.
  const worker = new Worker(new URL(`./compact-worker.${extension}`, import.meta.url), {
    workerData: task,
    execArgv: [],
  });
  const end = () => void worker.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise<FlatGraph>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the worker that compacts a graph ended with code ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}
