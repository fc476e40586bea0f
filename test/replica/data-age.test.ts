// How old a replica says that its data may be. Time is passed in.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import type { Change } from '../../src/model/change.ts';
import { Replica } from '../../src/replica/replica.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { FaultyStore } from './faulty-store.ts';

const tenant = 'default';
const role = (name: string): Change => ({ op: 'put', record: { kind: 'role', name, permissions: ['doc:read'] } });
const broken: Change = {
  op: 'put',
  record: { kind: 'binding', subject: 'user:a', role: 'first', scope: { type: 'doc', regex: '(' } },
};

let store: FaultyStore;
let replica: Replica;
let nowMs: number;

/** Heartbeats come every five seconds, and one has come now. */
const beat = () => {
  store.pulse.lastMs = nowMs;
};

beforeEach(async () => {
  nowMs = 1_000;
  store = new FaultyStore(createMemoryStore());
  store.pulse.mostMs = 6_000;
  beat();
  await store.commit(tenant, [role('first')]);
  const fixed = { graph: graphOptions, compareIntervalMs: 1e6, retryMs: 1, now: Date.now, onEvent: () => {} };
  replica = new Replica({ store, tenant, monotonicNow: () => nowMs, ...fixed });
  await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
});
afterEach(async () => {
  await replica.close();
  await store.close();
});

describe('the data of a replica', () => {
  it('is no age while heartbeats are answered, however long nothing is committed', () => {
    for (let i = 0; i < 1_000; i++) {
      nowMs += 5_000;
      expect(replica.freshness.ageMs()).toBe(0);
      beat();
    }
  });

  it('ages from the last answered heartbeat, before anybody has noticed that the connection is open at this end only', () => {
    nowMs += 6_000;
    expect(replica.freshness.ageMs()).toBe(0);
    nowMs += 1;
    expect([replica.freshness.ageMs(), replica.state.kind]).toEqual([6_001, 'current']);
    beat();
    expect(replica.freshness.ageMs()).toBe(0);
  });

  it('ages from the last sign of life when the loss is noticed, not from then', () => {
    store.away = true;
    nowMs += 4_000;
    store.disconnect();
    expect(replica.freshness.ageMs()).toBe(4_000);
    nowMs += 10_000;
    expect(replica.freshness.ageMs()).toBe(14_000);
  });

  it('is as old as the last comparison where the store can be read and not followed', async () => {
    nowMs += 1_000;
    store.disconnect();
    nowMs += 50_000;
    expect(replica.freshness.ageMs()).toBe(51_000);
    // A token that only the store can judge makes the replica compare.
    const doubtful = { ...(replica.current?.revision ?? { epoch: '', number: 0 }), nonce: 'x' };
    await expect(replica.waitFor(doubtful, undefined)).rejects.toMatchObject({ code: 'REVISION_LOST' });
    expect(replica.freshness.ageMs()).toBe(1);
    nowMs += 7_000;
    expect(replica.freshness.ageMs()).toBe(7_000);
  });

  it('is no age again once it was compared after following began again', async () => {
    nowMs += 1_000;
    store.disconnect();
    nowMs += 60_000;
    store.away = true;
    beat();
    store.connect();
    expect(replica.freshness.ageMs()).toBe(61_000);
    store.away = false;
    await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
  });

  it('ages while something newer is known of and not in force yet', async () => {
    const load = Promise.withResolvers<void>();
    store.beforeLoadEnds = () => load.promise;
    store.forgetful = true;
    store.losing = 1;
    await store.commit(tenant, [role('unheard')]);
    await store.commit(tenant, [role('heard')]);
    await vi.waitFor(() => expect(store.calls.load).toBe(2));
    nowMs += 3_000;
    expect(replica.freshness.ageMs()).toBe(3_000);
    load.resolve();
    await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
  });

  /** Lets the answers to two questions for the head come when the test says so; what they say is what was asked. */
  function holdHeads() {
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const head = store.head.bind(store);
    let asked = 0;
    store.head = async (name) => {
      const found = await head(name);
      await held[asked++]?.promise;
      return found;
    };
    return { held, asked: () => asked };
  }

  it('ages while the only answer of the store is older than what was heard of', async () => {
    const { held, asked } = holdHeads();
    store.connect();
    await vi.waitFor(() => expect(asked()).toBe(1));
    nowMs += 1;
    await store.commit(tenant, [role('heard')]);
    await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(1));
    held[0]?.resolve();
    await vi.waitFor(() => expect(asked()).toBe(2));
    nowMs += 2;
    expect(replica.freshness.ageMs()).toBe(3);
    held[1]?.resolve();
    await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
  });

  it('does not judge a token by what the store answered before the token came', async () => {
    const { held, asked } = holdHeads();
    store.connect();
    await vi.waitFor(() => expect(asked()).toBe(1));
    nowMs += 1;
    let judged = false;
    const doubtful = { ...(replica.current?.revision ?? { epoch: '', number: 0 }), nonce: 'x' };
    const waiting = replica.waitFor(doubtful, undefined).finally(() => {
      judged = true;
    });
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'REVISION_LOST' });
    held[0]?.resolve();
    await vi.waitFor(() => expect(asked()).toBe(2));
    expect(judged).toBe(false);
    held[1]?.resolve();
    await outcome;
  });

  it('ages while what the store holds is refused, and no more when that is mended', async () => {
    await store.commit(tenant, [broken]);
    await vi.waitFor(() => expect(replica.state.kind).toBe('behind'));
    nowMs += 2_000;
    beat();
    expect(replica.freshness.ageMs()).toBe(2_000);
    await store.commit(tenant, [
      { op: 'delete', kind: 'binding', key: JSON.stringify(['user:a', 'first', { type: 'doc', regex: '(' }, 'allow']) },
    ]);
    await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
  });

  it('ages while the store is empty or away', async () => {
    await store.replace(createMemoryStore());
    await vi.waitFor(() => expect(replica.state.kind).toBe('behind'));
    nowMs += 2_000;
    beat();
    expect(replica.freshness.ageMs()).toBe(2_000);
  });
});
