// The age of the data, from the store to answers and records.
import { afterEach, expect, it, vi } from 'vitest';
import { createIds } from '../../src/decision-log/ids.ts';
import type { DecisionEntry, DecisionLog } from '../../src/decision-log/log.ts';
import { finish } from '../../src/engine/steps.ts';
import { createPdp } from '../../src/pdp/pdp.ts';
import type { View } from '../../src/pdp/view.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { FaultyStore } from '../replica/faulty-store.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';
import { bound, call, query, viewer } from './harness.ts';
import { readinessOf } from './ready.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started() {
  const store = new FaultyStore(createMemoryStore());
  await store.commit(
    'default',
    [viewer, bound('user:alice', '*')].map((record) => ({ op: 'put', record })),
  );
  const replica = createQuietReplica(store, 'default');
  closers.push(() => replica.close());
  const log: DecisionEntry[] = [];
  const tenants = new Tenants([replica]);
  const pdp = createPdp({
    tenants,
    log: { hasRoom: true, append: (entry: DecisionEntry) => log.push(entry) } as unknown as DecisionLog,
    nextId: createIds(),
    now: Date.now,
    allowAssertedGroups: false,
    readiness: readinessOf(tenants),
  });
  await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
  const age = vi.spyOn(replica.freshness, 'ageMs');
  return { pdp, log, age, view: () => pdp.view('', '') as View };
}

it('is 0 while the store is followed, for one and the same view', async () => {
  const { view, log } = await started();
  expect(view()).toBe(view());
  view().check(query('user:alice', 'read', 'doc:1'), call);
  expect([view().dataAgeMs, log[0]?.dataAgeMs]).toEqual([0, 0]);
});

it('is that of when the view was asked for, in every record of it', async () => {
  const { view, log, age } = await started();
  age.mockReturnValue(1_234);
  const old = view();
  age.mockReturnValue(5_678);
  old.check(query('user:alice', 'read', 'doc:1'), call);
  const { object: _, ...who } = query('user:alice', 'read', '');
  finish(old.listActions({ ...who, object: 'doc:1' }, { ...call, source: 'list_actions' }));
  expect(old.dataAgeMs).toBe(1_234);
  expect(log.map(({ source, dataAgeMs }) => [source, dataAgeMs])).toEqual([
    ['check', 1_234],
    ['list_actions', 1_234],
  ]);
  expect(view().dataAgeMs).toBe(5_678);
  age.mockReturnValue(0);
  expect(view().dataAgeMs).toBe(0);
});

it('fits what the wire has for it', async () => {
  const { view, age } = await started();
  age.mockReturnValue(1e12);
  expect(view().dataAgeMs).toBe(0x7fffffff);
});
