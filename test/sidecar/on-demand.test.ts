// Tenants that are loaded when they are asked for, over a store in memory: who loads what, and who waits for it.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { FlatBuilder } from '../../src/graph/flat/builder.ts';
import type { Change } from '../../src/model/change.ts';
import { ServedTenants } from '../../src/sidecar/served-tenants.ts';
import { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { FaultyStore } from '../replica/faulty-store.ts';

const role: Change = { op: 'put', record: { kind: 'role', name: 'viewer', permissions: ['doc:read'] } };
const never = new Promise<void>(() => {});

let store: FaultyStore;
const served: ServedTenants[] = [];
beforeEach(() => {
  store = new FaultyStore(createMemoryStore());
});
afterEach(async () => {
  for (const each of served.splice(0)) await each.close();
  await store.close();
});

function serve(tenant = '*', saved?: SnapshotDirectory): ServedTenants {
  const flags = { redis: 'redis://nowhere', tenant, tenantLoading: 'on-demand', compareInterval: '1h' };
  const options = parseOptions({ flags, env: {}, suggest: () => undefined, instance: 'one' });
  const one = new ServedTenants(store, options, createLogger({ level: 'silent', format: 'json' }), saved);
  served.push(one);
  return one;
}

const namesOf = ({ tenants }: ServedTenants) => tenants.replicas.map(({ tenant }) => tenant);

/** Waits for the first look. */
const listed = ({ tenants }: ServedTenants) => vi.waitFor(() => expect(tenants.ready).toBe(true));

async function write(...names: string[]): Promise<void> {
  for (const name of names) await store.commit(name, [role]);
}

describe('tenants on demand', () => {
  it('are ready as soon as the list was read, and none of them is loaded', async () => {
    await write('acme', 'globex');
    const its = serve();
    expect(its.tenants.ready).toBe(false);
    await listed(its);
    expect([its.tenants.ready, namesOf(its), store.calls.load]).toEqual([true, [], 0]);
  });

  it('are loaded by the first question, and all who ask meanwhile share the load', async () => {
    await write('acme', 'globex');
    const { tenants } = serve();
    const found = await Promise.all(Array.from({ length: 50 }, () => tenants.find('acme')));
    expect(found.map(({ current }) => current?.revision.number)).toEqual(found.map(() => 1));
    expect(new Set(found).size).toBe(1);
    expect([store.calls.load, tenants.has('globex')]).toEqual([1, false]);
    expect(tenants.known('acme')).toBe(found[0]);
  });

  it('that are on the list are looked for no further, and those that are not share one look a second', async () => {
    await write('acme');
    const its = serve();
    await listed(its);
    await its.tenants.find('acme');
    expect(store.calls.tenants).toBe(1);
    const unknown = Array.from({ length: 1_000 }, (_, i) => its.tenants.find(`nobody${i % 500}`));
    for (const { status, reason } of (await Promise.allSettled(unknown)) as PromiseRejectedResult[]) {
      expect([status, reason.code]).toEqual(['rejected', 'UNKNOWN_TENANT']);
    }
    expect(store.calls.tenants).toBe(2);
  });

  it('are found by the first question after they were written', async () => {
    const its = serve();
    await listed(its);
    await write('late');
    expect((await its.tenants.find('late')).current?.revision.number).toBe(1);
  });

  it('are waited for within the deadline, and are there for who asks again', async () => {
    await write('slow', 'quick');
    const loading = Promise.withResolvers<void>();
    store.beforeLoad = (tenant) => (tenant === 'slow' ? loading.promise : Promise.resolve());
    const { tenants } = serve();
    const deadline = new AbortController();
    const late = tenants.find('slow', deadline.signal);
    await vi.waitFor(() => expect(store.calls.load).toBe(1));
    expect((await tenants.find('quick')).current).toBeDefined();
    deadline.abort();
    expect((await late).current).toBeUndefined();
    const again = tenants.find('slow');
    loading.resolve();
    expect((await again).current?.revision.number).toBe(1);
    expect(store.calls.load).toBe(2);
  });

  it('are unknown, and not empty, where they were deleted since the list was read', async () => {
    await write('gone', 'loaded');
    const its = serve();
    await its.tenants.find('loaded');
    await store.deleteTenant('gone');
    await expect(its.tenants.find('gone')).rejects.toMatchObject({ code: 'UNKNOWN_TENANT' });
    await store.deleteTenant('loaded');
    await vi.waitFor(() => expect(its.tenants.known('loaded')).toBeUndefined());
    await expect(its.tenants.find('loaded')).rejects.toMatchObject({ code: 'UNKNOWN_TENANT' });
    expect(namesOf(its)).toEqual([]);
  });

  it('may be empty and not deleted, which one look tells', async () => {
    await store.commit('empty', []);
    const { tenants } = serve();
    expect((await tenants.find('empty')).current?.counts.bindings).toBe(0);
    expect(tenants.known('empty')).toBeDefined();
  });

  it('that are named beside the star are loaded at once, and waited for', async () => {
    await write('acme', 'globex');
    const loading = Promise.withResolvers<void>();
    store.beforeLoad = () => loading.promise;
    const its = serve('acme,*');
    await its.look();
    expect([namesOf(its), its.tenants.ready]).toEqual([['acme'], false]);
    loading.resolve();
    await vi.waitFor(() => expect(its.tenants.ready).toBe(true));
    expect((await its.tenants.find('globex')).current).toBeDefined();
  });

  it('are not known, instead of unknown, while the store is away', async () => {
    await write('acme', 'globex');
    const its = serve();
    await listed(its);
    store.away = true;
    const deadline = new AbortController();
    const notOnTheList = its.tenants.find('other', deadline.signal);
    expect((await its.tenants.find('globex', deadline.signal)).current).toBeUndefined();
    deadline.abort();
    await expect(notOnTheList).rejects.toMatchObject({ code: 'NOT_READY' });
  });

  it('do not keep a sidecar that ends', async () => {
    await write('slow');
    store.beforeLoad = () => never;
    const its = serve();
    const waiting = its.tenants.find('slow');
    await vi.waitFor(() => expect(store.calls.load).toBe(1));
    its.endWaits();
    expect((await waiting).current).toBeUndefined();
  });
});

/** Reads slowly. */
class SlowDirectory extends SnapshotDirectory {
  readonly reading = Promise.withResolvers<void>();

  override async read(tenant: string) {
    await this.reading.promise;
    return super.read(tenant);
  }
}

it('what is being read from disk is not given up for a store that was emptied', async () => {
  const root = await mkdtemp(join(tmpdir(), 'postern-on-demand-'));
  const directory = new SlowDirectory(root);
  try {
    const builder = new FlatBuilder(1);
    if (role.op === 'put') builder.put(role.record);
    const facts = { tenant: 'acme', revision: { epoch: 'e', number: 7 }, knownAtMs: Date.now() };
    await directory.write(builder.finish(), facts);
    store.away = true;
    const its = serve('*', directory);
    await listed(its);
    const found = its.tenants.find('acme');
    await vi.waitFor(() => expect(its.tenants.has('acme')).toBe(true));
    store.away = false;
    await its.look();
    expect(await readdir(root)).toEqual(['acme.snapshot']);
    directory.reading.resolve();
    expect((await found).current?.revision).toEqual(facts.revision);
    await its.look();
    expect(namesOf(its)).toEqual(['acme']);
  } finally {
    await rm(root, { recursive: true });
  }
});
