/** The worker of compact-aside.ts: makes the one graph that it is asked for, sends it, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from '../aside/run-in-worker.ts';
import { graphOptions } from '../condition/graph-options.ts';
import { applyChanges } from '../graph/apply.ts';
import { flatten } from '../graph/flat/flatten.ts';
import { snapshotOf } from '../graph/flat/snapshot-of.ts';
import type { CompactTask } from './compact-aside.ts';

/** Nobody waits for it. */
const nice = 10;

giveWay(nice);
const { flat, since, seed } = workerData as CompactTask;
let snapshot = snapshotOf(flat, graphOptions, { epoch: 'base', number: 0 });
for (const { changes, revision } of since) snapshot = applyChanges(snapshot, changes, revision);
parentPort?.postMessage(flatten(snapshot, seed));
