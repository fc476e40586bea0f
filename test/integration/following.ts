// A replica that follows a real store while a fault strikes, and is asked all the while: called by the tests of faults.
// The question is one that every graph of these tests allows, so any other answer is a false deny.
import { expect, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { decide } from '../../src/engine/decide.ts';
import { recordsOf } from '../../src/graph/records.ts';
import type { Snapshot } from '../../src/graph/snapshot.ts';
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { ReplicaEvent } from '../../src/replica/state.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { query } from '../pdp/harness.ts';
import { bindingOf, loadGraph, putOf } from '../store/records.ts';

/** What allows the question; every graph of these tests has it. */
export const steady: readonly Change[] = [
  putOf({ kind: 'role', name: 'editor', permissions: ['doc:write'] }),
  putOf({ kind: 'role', name: 'viewer', permissions: ['doc:read'] }),
  putOf({ kind: 'binding', subject: 'user:steady', role: 'viewer', scope: '*' }),
];
const question = query('user:steady', 'read', 'doc:1');

/** As quick as a test wants it. */
export const quick: RedisStoreOptions = { heartbeatMs: 50, heartbeatTimeoutMs: 400, connectTimeoutMs: 1000 };

export interface Following {
  readonly replica: Replica;
  readonly events: readonly ReplicaEvent[];
  /** How often one kind of event was told. */
  count(kind: ReplicaEvent['kind']): number;
  /** Waits until an event of this kind was told more often than that. */
  until(kind: ReplicaEvent['kind'], before?: number): Promise<void>;
  /** Waits until it is current, at the head of a store, with exactly the store's records. */
  untilAt(store: Store): Promise<void>;
  close(): Promise<void>;
}

/** @param url The store as the replica sees it. */
export async function follow(
  url: string,
  tenant: string,
  options: { compareIntervalMs?: number } = {},
): Promise<Following> {
  const store = createRedisStore(parseRedisUrl(url), quick);
  const events: ReplicaEvent[] = [];
  const replica = new Replica({
    store,
    tenant,
    graph: graphOptions,
    compareIntervalMs: options.compareIntervalMs ?? 1_000_000,
    retryMs: 20,
    now: Date.now,
    onEvent: (event) => events.push(event),
  });
  let asked = 0;
  let denied = 0;
  const ask = (snapshot: Snapshot | undefined) => {
    if (snapshot === undefined) return;
    asked++;
    if (!decide(snapshot, question, Date.now()).allowed) denied++;
  };
  // Every snapshot as it comes into force, and whichever is there in between.
  replica.onSnapshot(ask);
  const asking = setInterval(() => ask(replica.current), 1);
  const count = (kind: ReplicaEvent['kind']) => events.filter((event) => event.kind === kind).length;
  const waiting = { timeout: 15_000, interval: 5 };
  const following: Following = {
    replica,
    events,
    count,
    until: (kind, before = 0) =>
      vi.waitFor(() => {
        if (count(kind) <= before) throw new Error(`"${kind}" was told ${count(kind)} times: ${told(events)}`);
      }, waiting),
    untilAt: (truth) =>
      vi.waitFor(async () => {
        const { graph, revision } = await loadGraph(truth, tenant);
        const at = { state: replica.state.kind, revision: replica.current?.revision };
        expect(at, told(events)).toEqual({ state: 'current', revision });
        expect(replica.current && asText(recordsOf(replica.current))).toEqual(asText(graph.values()));
      }, waiting),
    async close() {
      clearInterval(asking);
      await replica.close();
      await store.close();
      expect(asked).toBeGreaterThan(0);
      expect(denied, 'false denies').toBe(0);
    },
  };
  return following;
}

/** Commits one binding of a user of this number. */
export function grant(store: Store, tenant: string, number: number) {
  return store.commit(tenant, [putOf(bindingOf(number))]);
}

function asText(records: Iterable<EntityRecord>): string[] {
  return [...records].map((record) => `${record.kind} ${entityKey(record)}`).sort();
}

function told(events: readonly ReplicaEvent[]): string {
  return events.map((event) => (event.kind === 'problem' ? event.error.message : JSON.stringify(event))).join('\n');
}
