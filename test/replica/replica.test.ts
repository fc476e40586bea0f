import { afterEach, describe, expect, it, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { decide } from '../../src/engine/decide.ts';
import type { Change } from '../../src/model/change.ts';
import type { BindingRecord } from '../../src/model/entity.ts';
import type { ReplicaOptions } from '../../src/replica/options.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { ReplicaEvent } from '../../src/replica/state.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { FaultyStore } from './faulty-store.ts';

const tenant = 'default';
const viewer: Change = { op: 'put', record: { kind: 'role', name: 'viewer', permissions: ['doc:read'] } };
const bind = (subject: string, more: Partial<BindingRecord> = {}): Change => ({
  op: 'put',
  record: { kind: 'binding', subject, role: 'viewer', scope: '*', ...more },
});

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function replicaOf(store: Store, more: Partial<ReplicaOptions> = {}): { replica: Replica; events: ReplicaEvent[] } {
  const events: ReplicaEvent[] = [];
  const fixed = { store, tenant, graph: graphOptions, compareIntervalMs: 1_000_000, retryMs: 1, now: Date.now };
  const replica = new Replica({ ...fixed, onEvent: (event) => events.push(event), ...more });
  closers.push(() => replica.close());
  return { replica, events };
}

async function faultyStore(): Promise<FaultyStore> {
  const store = new FaultyStore(createMemoryStore());
  closers.push(() => store.close());
  await store.commit(tenant, [viewer, bind('user:first')]);
  return store;
}

const mayRead = (replica: Replica, subject: string): boolean =>
  replica.current !== undefined &&
  decide(replica.current, { subject, action: 'read', object: 'doc:1', reach: 'inherited', assertedGroups: [] }, 1)
    .allowed;

describe('a replica', () => {
  it('loads what is there and applies what comes, each change set once', async () => {
    const store = await faultyStore();
    const { replica, events } = replicaOf(store);
    await vi.waitFor(() => expect(mayRead(replica, 'user:first')).toBe(true));
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    for (let i = 0; i < 20; i++) await store.commit(tenant, [bind(`user:u${i}`)]);
    await vi.waitFor(() => expect(mayRead(replica, 'user:u19')).toBe(true));
    expect(events.filter((event) => event.kind === 'applied')).toHaveLength(20);
    expect(store.calls.load).toBe(1);
  });

  it('catches up from history after lost messages, without a reload', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.losing = 2;
    await store.commit(tenant, [bind('user:lost1')]);
    await store.commit(tenant, [bind('user:lost2')]);
    await store.commit(tenant, [bind('user:heard')]);
    await vi.waitFor(() => expect(mayRead(replica, 'user:heard')).toBe(true));
    expect(mayRead(replica, 'user:lost1') && mayRead(replica, 'user:lost2')).toBe(true);
    expect(store.calls.load).toBe(1);
  });

  it('compares after a reconnect, so that a last lost message is found', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.losing = 1;
    await store.commit(tenant, [bind('user:lost')]);
    await vi.waitFor(() => expect(store.losing).toBe(0));
    expect(mayRead(replica, 'user:lost')).toBe(false);
    store.reconnect();
    await vi.waitFor(() => expect(mayRead(replica, 'user:lost')).toBe(true));
  });

  it('reloads where history is trimmed, and the old snapshot answers until the new one is complete', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.losing = 1;
    await store.commit(tenant, [bind('user:lost')]);
    store.forgetful = true;
    const loading = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    store.beforeLoadEnds = () => {
      loading.resolve();
      return release.promise;
    };
    await store.commit(tenant, [bind('user:heard')]);
    await loading.promise;
    expect(mayRead(replica, 'user:first')).toBe(true);
    expect(mayRead(replica, 'user:lost')).toBe(false);
    release.resolve();
    await vi.waitFor(() => expect(mayRead(replica, 'user:lost') && mayRead(replica, 'user:heard')).toBe(true));
    expect(store.calls.load).toBe(2);
  });

  it('reloads when the epoch differs, and when the store has gone back', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await store.commit(tenant, [bind('user:second')]);
    await vi.waitFor(() => expect(mayRead(replica, 'user:second')).toBe(true));
    const restored = createMemoryStore();
    await restored.commit(tenant, [viewer, bind('user:restored')]);
    await store.replace(restored);
    await vi.waitFor(() => expect(mayRead(replica, 'user:restored')).toBe(true));
    expect(mayRead(replica, 'user:second')).toBe(false);
    expect(replica.state.kind).toBe('current');
  });

  it('keeps the last good snapshot when a change set does not compile, says so, and recovers when it is mended', async () => {
    const store = await faultyStore();
    const { replica, events } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    const broken = { subject: 'user:broken', scope: { type: 'doc', regex: '(' } };
    await store.commit(tenant, [bind(broken.subject, { scope: broken.scope })]);
    await vi.waitFor(() => expect(replica.state.kind).toBe('behind'));
    expect(mayRead(replica, 'user:first')).toBe(true);
    expect(events.some((event) => event.kind === 'problem' && event.error.code === 'INVALID_POLICY')).toBe(true);
    await store.commit(tenant, [
      { op: 'delete', kind: 'binding', key: JSON.stringify([broken.subject, 'viewer', broken.scope, 'allow']) },
      bind('user:mended'),
    ]);
    await vi.waitFor(() => expect(mayRead(replica, 'user:mended')).toBe(true));
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
  });

  it('answers from its snapshot while the store is away, and follows again when it returns', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.away = true;
    store.reconnect();
    await vi.waitFor(() => expect(replica.state.kind).toBe('behind'));
    expect(mayRead(replica, 'user:first')).toBe(true);
    store.away = false;
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
  });

  it('has no snapshot before the tenant has a policy, and keeps the last one when the store is emptied', async () => {
    const store = new FaultyStore(createMemoryStore());
    closers.push(() => store.close());
    const { replica, events } = replicaOf(store);
    await vi.waitFor(() =>
      expect(replica.state).toMatchObject({ kind: 'loading', reason: expect.stringContaining('no policy') }),
    );
    expect(replica.current).toBeUndefined();
    await store.commit(tenant, [viewer, bind('user:first')]);
    await vi.waitFor(() => expect(mayRead(replica, 'user:first')).toBe(true));
    await store.replace(createMemoryStore());
    await vi.waitFor(() => expect(replica.state.kind).toBe('behind'));
    expect(mayRead(replica, 'user:first')).toBe(true);
    expect(events.filter((event) => event.kind === 'missing').map(({ held }) => held?.number)).toEqual([undefined, 1]);
  });

  it('keeps its snapshot when the store is emptied between its look at the head and the load', async () => {
    const store = await faultyStore();
    const { replica, events } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    const head = await store.head(tenant);
    store.losing = 1;
    await store.commit(tenant, [bind('user:second')]);
    store.forgetful = true;
    store.beforeLoad = () => store.replace(createMemoryStore());
    store.reconnect();
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ kind: 'missing', held: head }));
    expect(mayRead(replica, 'user:first')).toBe(true);
    expect(replica.current?.revision).toEqual(head);
  });

  it('tries again at once when the store is there again, however long the pause would have been', async () => {
    const store = await faultyStore();
    store.away = true;
    const { replica, events } = replicaOf(store, { retryMs: 1_000_000 });
    await vi.waitFor(() => expect(events.some((event) => event.kind === 'problem')).toBe(true));
    store.away = false;
    store.reconnect();
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
  });

  it('loads the whole graph where history cannot be read', async () => {
    const store = await faultyStore();
    const { replica, events } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.losing = 1;
    await store.commit(tenant, [bind('user:lost')]);
    store.corruptHistory = true;
    store.reconnect();
    await vi.waitFor(() => expect(mayRead(replica, 'user:lost')).toBe(true));
    expect(events.some((event) => event.kind === 'problem' && event.error.code === 'STORE_CORRUPT')).toBe(true);
  });

  it('says that it is current again when it had fallen behind and nothing had changed', async () => {
    const store = await faultyStore();
    const { replica, events } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.reconnect();
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ kind: 'current', revision: replica.current?.revision }));
  });

  it('says which change set led to each snapshot, and where none did because the whole graph was loaded', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    const told: unknown[] = [];
    const stop = replica.onSnapshot(({ revision }, changeSet) => {
      expect(changeSet?.revision ?? revision).toEqual(replica.current?.revision);
      told.push(changeSet === undefined ? 'loaded' : revision.number);
    });
    await vi.waitFor(() => expect(told).toEqual(['loaded']));
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    await store.commit(tenant, [bind('user:heard')]);
    await vi.waitFor(() => expect(told).toEqual(['loaded', 2]));
    store.losing = 2;
    for (const lost of ['user:lost1', 'user:lost2']) await store.commit(tenant, [bind(lost)]);
    store.reconnect();
    await vi.waitFor(() => expect(told).toEqual(['loaded', 2, 3, 4]));
    await vi.waitFor(() => expect(store.losing).toBe(0));
    store.losing = 1;
    await store.commit(tenant, [bind('user:lost3')]);
    store.forgetful = true;
    store.reconnect();
    await vi.waitFor(() => expect(told).toEqual(['loaded', 2, 3, 4, 'loaded']));
    stop();
    await replica.waitFor(await store.commit(tenant, [bind('user:later')]), undefined);
    expect(told).toHaveLength(5);
  });

  it('takes a deleted tenant for an empty one, and follows when it is written again', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    const revision = await store.deleteTenant(tenant);
    await vi.waitFor(() => expect(replica.current?.revision).toEqual(revision));
    expect([mayRead(replica, 'user:first'), replica.state.kind]).toEqual([false, 'current']);
    await store.commit(tenant, [viewer, bind('user:second')]);
    await vi.waitFor(() => expect(mayRead(replica, 'user:second')).toBe(true));
  });

  it('is closed without waiting for a store that does not answer', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    store.beforeLoadEnds = () => new Promise(() => {});
    await vi.waitFor(() => expect(store.calls.load).toBe(1));
    await replica.close();
    expect(replica.state.kind).toBe('closed');
  });
});

describe('waiting for a revision', () => {
  it('ends when the revision is there', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    store.losing = 1;
    const revision = await store.commit(tenant, [bind('user:late')]);
    const waited = replica.waitFor(revision, undefined).then(() => mayRead(replica, 'user:late'));
    expect(mayRead(replica, 'user:late')).toBe(false);
    store.reconnect();
    expect(await waited).toBe(true);
  });

  it('ends with REVISION_NOT_REACHED when the caller gives up, and with REVISION_OF_OTHER_EPOCH for a foreign token', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    const head = await store.head(tenant);
    const giveUp = new AbortController();
    const waited = replica.waitFor({ epoch: head?.epoch as string, number: 99 }, giveUp.signal);
    giveUp.abort();
    await expect(waited).rejects.toMatchObject({ code: 'REVISION_NOT_REACHED' });
    await expect(replica.waitFor({ epoch: 'other', number: 1 }, undefined)).rejects.toMatchObject({
      code: 'REVISION_OF_OTHER_EPOCH',
    });
  });

  it('ends when waits are ended, and cannot begin after that, while what is there is still given', async () => {
    const store = await faultyStore();
    const { replica } = replicaOf(store);
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    const { epoch, number } = replica.current?.revision ?? { epoch: '', number: 0 };
    const refused = { code: 'REVISION_NOT_REACHED', message: expect.stringContaining('shutting down') };
    const waiting = replica.waitFor({ epoch, number: number + 1 }, undefined);
    replica.endWaits();
    await expect(waiting).rejects.toMatchObject(refused);
    await expect(replica.waitFor({ epoch, number: number + 1 }, undefined)).rejects.toMatchObject(refused);
    await expect(replica.waitFor({ epoch, number }, undefined)).resolves.toBeUndefined();
  });
});
