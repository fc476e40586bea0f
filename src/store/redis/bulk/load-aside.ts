/**
 * Loads a tenant in a worker, so that this thread goes on answering: reading and sorting a million records takes
 * seconds. The arrays that come back are shared memory; nothing is copied. Called by the store.
 */
import { runInWorker } from '../../../aside/run-in-worker.ts';
import { type ErrorCode, messageOf, PosternError } from '../../../model/errors.ts';
import type { FlatLoad } from '../../store.ts';
import type { FlatTask } from './load-flat.ts';

/** What load-worker.ts is given. */
export interface WorkerTask extends FlatTask {
  /** Let everything else go first. */
  readonly background: boolean;
}

/** What it sends back: an error crosses threads as its parts. */
export type WorkerResult =
  | { readonly loaded: FlatLoad }
  | { readonly code: ErrorCode; readonly message: string; readonly metadata: Readonly<Record<string, string>> };

/**
 * @throws PosternError what loadFlat throws; STORE_UNAVAILABLE where the worker ended, for want of memory perhaps; what
 * the signal was aborted with
 */
export async function loadFlatAside(task: WorkerTask, signal: AbortSignal): Promise<FlatLoad> {
  const result = await run(task, signal);
  if ('loaded' in result) return result.loaded;
  throw new PosternError(result.code, result.message, result.metadata);
}

async function run(task: WorkerTask, signal: AbortSignal): Promise<WorkerResult> {
  try {
    return await runInWorker(new URL('./load-worker', import.meta.url), task, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new PosternError('STORE_UNAVAILABLE', `cannot load tenant ${task.tenant}: ${messageOf(error)}`);
  }
}
