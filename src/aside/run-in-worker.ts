/**
 * Runs one task in a worker of its own, which sends one result and ends: for what would hold this thread up for long.
 * Knows nothing of what is done.
 */
import { getCompileCacheDir } from 'node:module';
import { setPriority } from 'node:os';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/**
 * @param script The worker's file without its extension, as a URL beside the caller's: it is TypeScript where that is.
 * @param task What the worker is given as workerData; shared memory in it is not copied.
 * @param messages What it is sent besides, one in each turn of the event loop: each is copied in this thread.
 * @param signal Ends the worker, and this with what the signal was aborted with.
 * @throws what the worker throws; Error where it ended without a result, for want of memory perhaps
 */
export async function runInWorker<Result>(
  script: URL,
  task: unknown,
  signal?: AbortSignal,
  messages: Iterable<unknown> = [],
): Promise<Result> {
  signal?.throwIfAborted();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // Options of this process may be none for a worker (--input-type), which would end it at once.
  const worker = new Worker(new URL(`${script.href}.${extension}`), {
    workerData: task,
    execArgv: [],
    env: environment(),
  });
  const ended = Promise.withResolvers<Result>();
  ended.promise.catch(() => {}); // It is awaited when everything was sent; it may have ended before.
  const abort = () => ended.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  worker.once('message', ended.resolve);
  worker.once('error', ended.reject);
  worker.once('exit', (code) => ended.reject(new Error(`the worker ended with code ${code} and no result`)));
  try {
    for (const message of messages) {
      worker.postMessage(message);
      await nextTurn();
    }
    return await ended.promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    void worker.terminate();
  }
}

/** A worker has a compile cache only where its environment names one: with it, it begins twice as soon. */
function environment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir();
  // The directory of this version of Node, in the one that was named.
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) };
}

/**
 * Lets others go first, for the thread that calls. On Linux a thread has a priority of its own; elsewhere this would be
 * the priority of the process, and does nothing.
 * @param nice Higher gives way more: 0 is as everybody, 19 gets next to nothing of a busy processor.
 */
export function giveWay(nice: number): void {
  if (process.platform === 'linux') setPriority(nice);
}
