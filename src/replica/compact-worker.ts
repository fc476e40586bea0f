/** The worker of compact-aside.ts: makes the one graph that it is asked for, sends it, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from '../aside/run-in-worker.ts';
import { graphOptions } from '../condition/graph-options.ts';
import { applyChanges } from '../graph/apply.ts';
import { flatten } from '../graph/flat/flatten.ts';
import { snapshotOf } from '../graph/flat/snapshot-of.ts';
import type { Change } from '../model/change.ts';
import type { CompactTask } from './compact-aside.ts';

/** Nobody waits for it. */
const nice = 10;

giveWay(nice);
const { flat, seed } = workerData as CompactTask;
const base = { epoch: 'base', number: 0 };
let snapshot = snapshotOf(flat, graphOptions, base);
parentPort?.on('message', (changes: readonly Change[]) => {
  if (changes.length > 0) snapshot = applyChanges(snapshot, changes, base);
  else parentPort?.postMessage(flatten(snapshot, seed));
});
