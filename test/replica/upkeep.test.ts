// What a replica does beside following: it folds changes into the flat graph below them, saves it, and starts from it.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { FlatBuilder } from '../../src/graph/flat/builder.ts';
import { recordsOf } from '../../src/graph/records.ts';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { ReplicaOptions } from '../../src/replica/options.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { ReplicaEvent } from '../../src/replica/state.ts';
import { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import type { FlatLoad, Store } from '../../src/store/store.ts';
import { sameRecords } from '../reference/runs.ts';
import { applyAll, bindingOf, deleteOf, oneOfEach, putOf } from '../store/records.ts';
import { FaultyStore } from './faulty-store.ts';

const tenant = 'default';
const closers: (() => Promise<unknown>)[] = [];
let directory: SnapshotDirectory;

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'postern-upkeep-'));
  closers.push(() => rm(root, { recursive: true }));
  directory = new SnapshotDirectory(join(root, 'snapshots'));
  await directory.open();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A store that builds flat graphs of whatever size, as that of Redis does with large ones. */
class FlatStore extends FaultyStore {
  async loadFlat(): Promise<FlatLoad> {
    const builder = new FlatBuilder(1);
    const revision = await this.load(tenant, (changes) => {
      for (const change of changes) if (change.op === 'put') builder.put(change.record);
    });
    return { flat: builder.finish(), since: [], revision };
  }
}

async function storeOf(changes: readonly Change[]): Promise<FlatStore> {
  const store = new FlatStore(createMemoryStore());
  closers.push(() => store.close());
  await store.commit(tenant, changes);
  return store;
}

function replicaOf(store: Store, more: Partial<ReplicaOptions> = {}) {
  const events: ReplicaEvent[] = [];
  const fixed = { store, tenant, graph: graphOptions, compareIntervalMs: 1_000_000, retryMs: 1, now: Date.now };
  const replica = new Replica({ ...fixed, onEvent: (event) => events.push(event), ...more });
  closers.push(() => replica.close());
  const told = (kind: ReplicaEvent['kind']) => events.filter((event) => event.kind === kind);
  const until = (kind: ReplicaEvent['kind']) =>
    vi.waitFor(() => expect(told(kind), JSON.stringify(events.slice(-5))).not.toHaveLength(0), { timeout: 60_000 });
  return { replica, told, until };
}

const saving = (intervalMs = 1_000_000) => ({ save: { directory, intervalMs } });
const recordsIn = ({ current }: Replica) => (current === undefined ? [] : [...recordsOf(current)]);
/** Of many records: comparing them one by one takes longer than everything else here. */
const textOf = (records: readonly EntityRecord[]) =>
  records
    .map((record) => JSON.stringify(Object.entries(record).sort()))
    .sort()
    .join('\n');
const first = [...oneOfEach, ...Array.from({ length: 300 }, (_, i) => bindingOf(i))];

// A worker of low priority shares two processors with all other tests.
describe('changes above a flat graph', { timeout: 90_000 }, () => {
  test('are folded into it when they have become many, while more come', async () => {
    const store = await storeOf(first.map(putOf));
    const { replica, told, until } = replicaOf(store);
    await until('loaded');
    const committed: Change[] = first.map(putOf);
    const commit = async (changes: readonly Change[]) => {
      await store.commit(tenant, changes);
      committed.push(...changes);
    };
    // In sets that are applied in slices, and one by one.
    for (let i = 0; i < 5; i++)
      await commit(Array.from({ length: 5_000 }, (_, k) => putOf(bindingOf(i * 5_000 + k, 'viewer'))));
    for (let i = 0; told('folded').length === 0; i++) {
      await commit([i % 2 === 0 ? deleteOf(bindingOf(i)) : putOf(bindingOf(i + 400))]);
      // A store in memory would never let anybody else have a turn.
      await nextTurn();
    }
    await commit([putOf(bindingOf(999, 'owner'))]);
    await replica.waitFor(
      (await store.head(tenant)) as NonNullable<Awaited<ReturnType<Store['head']>>>,
      AbortSignal.timeout(15_000),
    );
    expect(textOf(recordsIn(replica))).toBe(textOf([...applyAll(committed).values()]));
    expect(told('loaded')).toHaveLength(1);
    expect(replica.current?.bindingsOf.base?.flat.arrays.principals.length).toBeGreaterThan(20_000);
  });

  test('are folded however often the graph could not be saved before', async () => {
    const store = await storeOf(first.map(putOf));
    await rm(directory.path, { recursive: true });
    const { told, until } = replicaOf(store, saving(1));
    await vi.waitFor(() => expect(told('upkeep-failed').length).toBeGreaterThan(5), { timeout: 15_000 });
    await store.commit(
      tenant,
      Array.from({ length: 25_000 }, (_, i) => putOf(bindingOf(i, 'viewer'))),
    );
    await until('folded');
  });

  test('do not make a watcher begin anew when they are folded', async () => {
    const store = await storeOf(first.map(putOf));
    const { replica, until } = replicaOf(store);
    await until('loaded');
    let whole = 0;
    replica.onSnapshot((_, changeSet) => {
      if (changeSet === undefined) whole++;
    });
    await store.commit(
      tenant,
      Array.from({ length: 25_000 }, (_, i) => putOf(bindingOf(i, 'viewer'))),
    );
    await until('folded');
    expect(whole).toBe(0);
  });
});

test('a small graph that changes for ever forgets the names that nothing uses any more', async () => {
  const store = new FaultyStore(createMemoryStore());
  closers.push(() => store.close());
  await store.commit(tenant, oneOfEach.map(putOf));
  const { replica, told, until } = replicaOf(store);
  await until('loaded');
  let passing = 0;
  for (; told('folded').length === 0 && passing < 500; passing++) {
    const records = Array.from({ length: 50 }, (_, i) => bindingOf(passing * 50 + i));
    await store.commit(tenant, [...records.map(putOf), ...records.map(deleteOf)]);
    await nextTurn();
  }
  await store.commit(tenant, [putOf(bindingOf(1, 'late'))]);
  await vi.waitFor(async () => expect(replica.current?.revision).toEqual(await store.head(tenant)));
  expect(told('folded')).toHaveLength(1);
  sameRecords(recordsIn(replica), [...oneOfEach, bindingOf(1, 'late')]);
  expect(replica.current?.names.nodeCount).toBeLessThan(passing * 5);
  expect(told('loaded')).toHaveLength(1);
});

describe('with a directory for snapshots', () => {
  test('a graph is saved once it was loaded, and starts the next sidecar while the store is away', async () => {
    const store = await storeOf(first.map(putOf));
    const one = replicaOf(store, saving());
    await one.until('saved');
    await one.replica.close();
    store.away = true;
    const { replica, until, told } = replicaOf(store, saving());
    await until('restored');
    sameRecords(recordsIn(replica), first);
    expect(replica.state.kind).toBe('behind');
    expect(replica.freshness.ageMs()).toBeGreaterThan(0);
    await until('problem');
    expect(told('loaded')).toHaveLength(0);
  });

  test('what was saved before the clock was set back is not taken for the newest', async () => {
    const store = await storeOf(first.map(putOf));
    const one = replicaOf(store, saving());
    await one.until('saved');
    await one.replica.close();
    store.away = true;
    const { replica, until } = replicaOf(store, { ...saving(), now: () => Date.now() - 3_600_000 });
    await until('restored');
    expect(replica.freshness.ageMs()).toBeGreaterThan(3_500_000);
  });

  test('a store that is lost while the file is read does not end the wait for it', async () => {
    const store = await storeOf(first.map(putOf));
    const one = replicaOf(store, saving());
    await one.until('saved');
    await one.replica.close();
    store.away = true;
    const { replica } = replicaOf(store, saving());
    store.disconnect();
    await replica.attempted;
    sameRecords(recordsIn(replica), first);
  });

  test('what was committed since is read from history, and nothing is loaded', async () => {
    const store = await storeOf(first.map(putOf));
    const one = replicaOf(store, saving());
    await one.until('saved');
    await one.replica.close();
    await store.commit(tenant, [putOf(bindingOf(1, 'late'))]);
    store.calls.load = 0;
    const { replica } = replicaOf(store, saving());
    await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
    sameRecords(recordsIn(replica), [...first, bindingOf(1, 'late')]);
    expect(store.calls.load).toBe(0);
    expect(replica.freshness.ageMs()).toBe(0);
  });

  test('a graph that has changed is saved again in time, small ones without a flat graph below them too', async () => {
    for (const store of [await storeOf(first.map(putOf)), createMemoryStore()]) {
      await store.commit(tenant, oneOfEach.map(putOf));
      const { replica, until, told } = replicaOf(store, saving(5));
      await until('saved');
      const revision = await store.commit(tenant, [putOf(bindingOf(7, 'late'))]);
      await vi.waitFor(() => expect(told('saved').at(-1)).toMatchObject({ revision }), { timeout: 15_000 });
      await replica.close();
      const saved = await directory.read(tenant);
      expect(saved?.revision).toEqual(revision);
      const ageMs = Date.now() - (saved?.knownAtMs ?? 0);
      expect(ageMs).toBeGreaterThanOrEqual(0);
      expect(ageMs).toBeLessThan(60_000);
    }
  });

  test('a graph that has not changed for long is saved again, for the store said since that it is the newest', async () => {
    const store = await storeOf(oneOfEach.map(putOf));
    let nowMs = 1_700_000_000_000;
    const { until } = replicaOf(store, { ...saving(5), now: () => nowMs });
    await until('saved');
    nowMs += 61;
    await vi.waitFor(async () => expect((await directory.read(tenant))?.knownAtMs).toBe(nowMs), { timeout: 5_000 });
  });

  test('a damaged snapshot is told of and not believed; the graph is loaded, and saved anew', async () => {
    const store = await storeOf(first.map(putOf));
    const one = replicaOf(store, saving());
    await one.until('saved');
    await one.replica.close();
    const [name] = await readdir(directory.path);
    await writeFile(join(directory.path, name as string), 'garbage');
    const { replica, until, told } = replicaOf(store, saving());
    await until('saved');
    expect(told('problem')[0]).toMatchObject({ error: { code: 'STORE_CORRUPT' } });
    expect(told('restored')).toHaveLength(0);
    sameRecords(recordsIn(replica), first);
    expect((await directory.read(tenant))?.revision).toEqual(replica.current?.revision);
  });

  test('a snapshot of another history is replaced by what the store has', async () => {
    const store = await storeOf(first.map(putOf));
    const one = replicaOf(store, saving());
    await one.until('saved');
    await one.replica.close();
    const other = await storeOf(oneOfEach.map(putOf));
    const { replica, until } = replicaOf(other, saving());
    await until('loaded');
    sameRecords(recordsIn(replica), oneOfEach as readonly EntityRecord[]);
  });

  test('a directory that cannot be written is told of, and nothing else is the worse for it', async () => {
    const store = await storeOf(first.map(putOf));
    await rm(directory.path, { recursive: true });
    const { replica, until, told } = replicaOf(store, saving());
    await until('upkeep-failed');
    expect(replica.state.kind).toBe('current');
    expect(told('problem')).toHaveLength(0);
  });
});

test('a replica that was closed writes no file any more, so that one of a deleted tenant can be removed', async () => {
  const store = await storeOf(Array.from({ length: 10_000 }, (_, i) => putOf(bindingOf(i))));
  const { replica } = replicaOf(store, saving());
  // The file is being written.
  await vi.waitFor(async () => expect(await readdir(directory.path)).not.toEqual([]), { interval: 1 });
  await replica.close();
  await directory.remove(tenant);
  expect(await readdir(directory.path)).toEqual([]);
  await nextTurn();
  expect(await readdir(directory.path)).toEqual([]);
});
