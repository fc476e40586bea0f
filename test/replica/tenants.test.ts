// The tenants of a process that was told which ones to serve, and of one that serves all.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import type { Change } from '../../src/model/change.ts';
import { Replica } from '../../src/replica/replica.ts';
import { notReady, Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { FaultyStore } from './faulty-store.ts';

const role: Change = { op: 'put', record: { kind: 'role', name: 'viewer', permissions: ['doc:read'] } };

const store = new FaultyStore(createMemoryStore());
const replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.close();
  store.beforeLoad = async () => {};
});

let count = 0;
const newTenant = () => `t${++count}`;

function follow(tenant: string): Replica {
  const fixed = { graph: graphOptions, compareIntervalMs: 1e6, retryMs: 1, now: Date.now, onEvent: () => {} };
  const replica = new Replica({ store, tenant, ...fixed });
  replicas.push(replica);
  return replica;
}

async function written(): Promise<string> {
  const tenant = newTenant();
  await store.commit(tenant, [role]);
  return tenant;
}

/** Tenants of a process that serves all; each look adds what the test has put on the list. */
function allOf(list: readonly string[]): { tenants: Tenants; looks: () => number } {
  let looks = 0;
  const tenants = new Tenants([], async () => {
    looks++;
    for (const tenant of list) if (!tenants.has(tenant)) tenants.add(follow(tenant));
    tenants.listed();
  });
  return { tenants, looks: () => looks };
}

const caught = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe('tenants that were told', () => {
  it('are ready with the last of them', async () => {
    const [first, second] = [newTenant(), newTenant()];
    const tenants = new Tenants([first, second].map(follow));
    const told: boolean[] = [];
    tenants.onReadyChange((ready) => told.push(ready));
    await store.commit(first, [role]);
    await vi.waitFor(() => expect(tenants.named(first).current).toBeDefined());
    expect([tenants.ready, told]).toEqual([false, []]);
    await store.commit(second, [role]);
    await vi.waitFor(() => expect([tenants.ready, told]).toEqual([true, [true]]));
  });

  it('are never ready where there is none', () => {
    const tenants = new Tenants();
    tenants.listed();
    expect(tenants.ready).toBe(false);
  });

  it('need no name where there is one, and find nothing beyond themselves', async () => {
    const tenant = newTenant();
    const tenants = new Tenants([follow(tenant)]);
    expect(tenants.named('').tenant).toBe(tenant);
    expect((await tenants.find('')).tenant).toBe(tenant);
    const unknown = { code: 'UNKNOWN_TENANT', message: expect.stringContaining('start the sidecar with it') };
    expect(caught(() => tenants.known('other'))).toMatchObject(unknown);
    await expect(tenants.find('other')).rejects.toMatchObject(unknown);
  });

  it('say of one without a policy how to write it', async () => {
    const replica = follow(newTenant());
    await replica.attempted;
    expect(notReady(replica)).toMatchObject({
      code: 'NOT_READY',
      message: expect.stringMatching(/postern apply.*postern tenants create/),
    });
  });
});

describe('every tenant of a store', () => {
  it('has to be named, although it is the only one', async () => {
    const tenant = await written();
    const { tenants } = allOf([tenant]);
    await tenants.find(tenant);
    const refusal = { code: 'INVALID_TENANT', message: expect.stringContaining('every tenant of its store; name one') };
    for (const act of [() => tenants.named(''), () => tenants.known('')]) expect(caught(act)).toMatchObject(refusal);
    await expect(tenants.find('')).rejects.toMatchObject(refusal);
  });

  it('is found at once where it is here, and looked for where it is not', async () => {
    const tenant = await written();
    const { tenants, looks } = allOf([tenant]);
    expect(tenants.known(tenant)).toBeUndefined();
    const found = await tenants.find(tenant);
    expect(found.current?.revision.number).toBe(1);
    expect(tenants.known(tenant)).toBe(found);
    expect(looks()).toBe(1);
    await tenants.find(tenant);
    expect(looks()).toBe(1);
  });

  it('is unknown only after a look, which says how to create it', async () => {
    const { tenants, looks } = allOf([]);
    await expect(tenants.find('nobody')).rejects.toMatchObject({
      code: 'UNKNOWN_TENANT',
      message: expect.stringMatching(/no tenant "nobody" in the store.*postern tenants create/),
    });
    expect(looks()).toBe(1);
  });

  it('is not called unknown where the list cannot be read, or not in time', async () => {
    const failing = new Tenants([], () => Promise.reject(new Error('no route')));
    await expect(failing.find('a')).rejects.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringContaining('no route'),
    });
    const slow = new Tenants([], () => new Promise(() => {}));
    const patience = new AbortController();
    const late = slow.find('a', patience.signal);
    patience.abort();
    await expect(late).rejects.toMatchObject({ code: 'NOT_READY', message: expect.stringContaining('in time') });
  });

  it('is not waited for beyond the first attempt to load it, nor beyond the signal', async () => {
    const tenant = await written();
    const { tenants } = allOf([tenant]);
    const load = Promise.withResolvers<void>();
    store.beforeLoad = () => load.promise;
    const patience = new AbortController();
    const early = tenants.find(tenant, patience.signal);
    await vi.waitFor(() => expect(tenants.has(tenant)).toBe(true));
    const patient = tenants.find(tenant);
    patience.abort();
    expect((await early).current).toBeUndefined();
    load.resolve();
    expect((await patient).current?.revision.number).toBe(1);
    const absent = allOf([newTenant()]).tenants;
    expect((await absent.find(`t${count}`)).current).toBeUndefined();
  });

  it('is ready once the list was read, without any tenant too', () => {
    const { tenants } = allOf([]);
    const told: boolean[] = [];
    tenants.onReadyChange((ready) => told.push(ready));
    expect(tenants.ready).toBe(false);
    tenants.listed();
    expect([tenants.ready, told]).toEqual([true, [true]]);
  });

  it('is ready when all that were on the first list are, deleted ones aside, and stays so', async () => {
    const [first, gone, later] = [newTenant(), newTenant(), newTenant()];
    const { tenants } = allOf([]);
    tenants.add(follow(first));
    tenants.add(follow(gone));
    tenants.listed();
    await store.commit(first, [role]);
    await vi.waitFor(() => expect(tenants.named(first).current).toBeDefined());
    expect(tenants.ready).toBe(false);
    tenants.remove(gone);
    expect(tenants.ready).toBe(true);
    tenants.add(follow(later));
    tenants.listed();
    expect(tenants.ready).toBe(true);
  });
});
