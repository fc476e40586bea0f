/** The worker of load-aside.ts: loads the one tenant that it is given, sends the graph, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from '../../../aside/run-in-worker.ts';
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
    const conditions = new Set<string>();
    const loaded = await loadFlat(task, (text) => conditions.add(text));
    if (conditions.size > 0) await compile(conditions);
    return { loaded };
  } catch (error) {
    const { code, message, metadata } =
      error instanceof PosternError ? error : new PosternError('INTERNAL', messageOf(error));
    return { code, message, metadata };
  }
}

/** The library of conditions takes longer to begin than all the rest, and most graphs have none. @throws PosternError INVALID_POLICY */
async function compile(conditions: ReadonlySet<string>): Promise<void> {
  const { graphOptions } = await import('../../../condition/graph-options.ts');
  for (const text of conditions) graphOptions.compileCondition(text);
}
