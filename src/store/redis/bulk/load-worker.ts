/** The worker of load-aside.ts: loads the one tenant that it is given, sends the graph, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from '../../../aside/run-in-worker.ts';
import { graphOptions } from '../../../condition/graph-options.ts';
import { messageOf, PosternError } from '../../../model/errors.ts';
import type { WorkerResult, WorkerTask } from './load-aside.ts';
import { loadFlat } from './load-flat.ts';

const task = workerData as WorkerTask;
// A quarter of a processor that others want too: less, and a reload on a busy machine would take minutes.
const backgroundNice = 5;
if (task.background) giveWay(backgroundNice);
parentPort?.postMessage(await result());

async function result(): Promise<WorkerResult> {
  try {
    return { loaded: await loadFlat(task, graphOptions.compileCondition) };
  } catch (error) {
    const { code, message, metadata } =
      error instanceof PosternError ? error : new PosternError('INTERNAL', messageOf(error));
    return { code, message, metadata };
  }
}
