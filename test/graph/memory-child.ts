// Prints what graphs of a size and a form (flat, paged) take in memory, as the process says and as estimated. Run by
// estimate-bytes.test.ts with --expose-gc, in a process of its own: nothing else is on its heap.
import { randomGraph, sized } from '../../bench/graphs.ts';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { Draft } from '../../src/graph/draft.ts';
import { estimateBytes } from '../../src/graph/estimate-bytes.ts';
import { flatten } from '../../src/graph/flat/flatten.ts';
import { snapshotOf } from '../../src/graph/flat/snapshot-of.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';

const form = process.argv[2];
const bindings = Number(process.argv[3]);
// Many small ones: what a process does by the way is more than one of them takes.
const copies = Math.max(1, Math.round(100_000 / bindings));

function make(): Snapshot {
  const draft = new Draft(emptySnapshot(graphOptions));
  // Written and parsed, as from a store: names are texts of their own then.
  for (const record of randomGraph(sized(bindings))) draft.apply(JSON.parse(JSON.stringify([{ op: 'put', record }])));
  const paged = draft.freeze({ epoch: 'e', number: 1 });
  return form === 'flat' ? snapshotOf(flatten(paged, 1), graphOptions, paged.revision) : paged;
}

function usedBytes(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run this with --expose-gc');
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

make();
const before = usedBytes();
const held = Array.from({ length: copies }, make);
const bytes = Math.round((usedBytes() - before) / copies);
process.stdout.write(`${JSON.stringify({ bytes, estimate: estimateBytes(held[0] as Snapshot) })}\n`);
