// A replica that follows its store by messages alone, and tells nobody what it goes through.
import { graphOptions } from '../../src/condition/graph-options.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { Store } from '../../src/store/store.ts';

export function createQuietReplica(store: Store, tenant: string, now: () => number = Date.now): Replica {
  const fixed = { graph: graphOptions, compareIntervalMs: 1_000_000, retryMs: 1, onEvent: () => {} };
  return new Replica({ store, tenant, now, ...fixed });
}
