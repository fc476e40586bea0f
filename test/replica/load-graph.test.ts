// What a load makes a snapshot of.
import { expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { FlatBuilder } from '../../src/graph/flat/builder.ts';
import { loadGraph } from '../../src/replica/load-graph.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { emptyRevision, type Store } from '../../src/store/store.ts';

test('a store that was emptied while a large graph was being loaded gives nothing, and not an empty policy', async () => {
  const inner = createMemoryStore();
  const emptied: Store = Object.assign(Object.create(inner), {
    loadFlat: async () => ({ flat: new FlatBuilder(1).finish(), revision: emptyRevision, since: [] }),
  });
  const options = { background: false, signal: new AbortController().signal };
  expect(await loadGraph(emptied, 'default', graphOptions, options)).toBeUndefined();
  await inner.close();
});
