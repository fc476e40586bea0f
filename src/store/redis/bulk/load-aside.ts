/**
 * Loads a tenant in a worker, so that this thread goes on answering: reading and sorting a million records takes
 * seconds. The arrays that come back are shared memory; nothing is copied. Called by the store.
 */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, PosternError } from '../../../model/errors.ts';
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

/** @throws PosternError what loadFlat throws; STORE_UNAVAILABLE where the worker ended, of want of memory perhaps */
export async function loadFlatAside(task: WorkerTask, signal: AbortSignal): Promise<FlatLoad> {
  signal.throwIfAborted();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // Options of this process may be none for a worker (--input-type), which would end it at once.
  const worker = new Worker(new URL(`./load-worker.${extension}`, import.meta.url), { workerData: task, execArgv: [] });
  const end = () => void worker.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    const result = await new Promise<WorkerResult>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (error) => reject(ended(task, error.message)));
      worker.once('exit', (code) => reject(ended(task, `code ${code}`)));
    });
    if ('loaded' in result) return result.loaded;
    throw new PosternError(result.code, result.message, result.metadata);
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

function ended({ tenant }: WorkerTask, how: string): PosternError {
  return new PosternError('STORE_UNAVAILABLE', `the worker that loaded tenant ${tenant} ended: ${how}`);
}
