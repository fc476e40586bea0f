/** The worker of compact-aside.ts: makes the one graph that it is asked for, sends it, and ends. */
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { graphOptions } from '../condition/graph-options.ts';
import { applyChanges } from '../graph/apply.ts';
import { flatten } from '../graph/flat/flatten.ts';
import { snapshotOf } from '../graph/flat/snapshot-of.ts';
import type { CompactTask } from './compact-aside.ts';

// On Linux this is the priority of the thread that calls; elsewhere it would be that of the process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const { flat, since, seed } = workerData as CompactTask;
let snapshot = snapshotOf(flat, graphOptions, { epoch: 'base', number: 0 });
for (const { changes, revision } of since) snapshot = applyChanges(snapshot, changes, revision);
parentPort?.postMessage(flatten(snapshot, seed));
