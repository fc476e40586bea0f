// Prints what graphs of a size and a form (flat, paged) take in memory, as the process says and as estimated. Run by
// estimate-bytes.test.ts with --expose-gc, in a process of its own: nothing else is on its heap.
import { setImmediate as nextTurn } from 'node:timers/promises';
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

/** What is used when several collections in a row have found nothing more: shared memory is given back a turn or two later. */
async function usedBytes(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run this with --expose-gc');
  let least = Number.POSITIVE_INFINITY;
  for (let unchanged = 0; unchanged < 5; unchanged++) {
    gc();
    await nextTurn();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    if (heapUsed + arrayBuffers < least * 0.999) unchanged = 0;
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

make();
const before = await usedBytes();
const held = Array.from({ length: copies }, make);
const bytes = Math.round(((await usedBytes()) - before) / copies);
process.stdout.write(`${JSON.stringify({ bytes, estimate: estimateBytes(held[0] as Snapshot) })}\n`);
