// When a process says that it may be sent questions, and what it refuses, as its policies grow old. Time is passed in.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { createIds } from '../../src/decision-log/ids.ts';
import { createNoLog } from '../../src/decision-log/no-log.ts';
import { createPdp } from '../../src/pdp/pdp.ts';
import { type BehindTenant, Readiness } from '../../src/pdp/readiness.ts';
import { Replica } from '../../src/replica/replica.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { FaultyStore } from '../replica/faulty-store.ts';
import { viewer } from './harness.ts';

let nowMs = 0;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  nowMs = 1_000;
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Served {
  readonly tenant: string;
  readonly store: FaultyStore;
  readonly replica: Replica;
}

/** A tenant with a store of its own, so that one can be away while another is there. */
async function serve(tenant: string): Promise<Served> {
  const store = new FaultyStore(createMemoryStore());
  await store.commit(tenant, [{ op: 'put', record: viewer }]);
  const fixed = { graph: graphOptions, compareIntervalMs: 1e6, retryMs: 1, now: Date.now, onEvent: () => {} };
  const replica = new Replica({ store, tenant, monotonicNow: () => nowMs, ...fixed });
  closers.push(() => replica.close());
  await vi.waitFor(() => expect(replica.freshness.ageMs()).toBe(0));
  return { tenant, store, replica };
}

function readinessOf(served: readonly Served[], maxStalenessMs: number, refuses: boolean) {
  const tenants = new Tenants(served.map(({ replica }) => replica));
  const stale: (string | boolean)[][] = [];
  const onStale = ({ tenant }: BehindTenant, isStale: boolean) => void stale.push([tenant, isStale]);
  const readiness = new Readiness({ tenants, maxStalenessMs, refuses, onStale });
  closers.push(async () => readiness.close());
  const told: boolean[] = [];
  readiness.onChange((ready) => told.push(ready));
  const fixed = { tenants, log: createNoLog(), nextId: createIds(), now: () => 1, allowAssertedGroups: false };
  const pdp = createPdp({ ...fixed, readiness });
  const ask = (tenant: string): unknown => {
    try {
      pdp.view(tenant, '');
      return answered;
    } catch (error) {
      return error;
    }
  };
  return { readiness, told, stale, ask };
}

/** What asking gives where a view answers. */
const answered = 'answered';

describe('a policy that is older than the bound', () => {
  it('answers answered, is never a denial, and answers again once it is known to be the newest', async () => {
    const acme = await serve('acme');
    const { readiness, told, stale, ask } = readinessOf([acme], 60_000, true);
    acme.store.away = true;
    acme.store.disconnect();
    nowMs += 60_000;
    expect([ask('acme'), readiness.ready]).toEqual([answered, true]);
    expect(readiness.report()).toMatchObject({
      ready: true,
      reason: '',
      behind: [{ tenant: 'acme', dataAgeMs: 60_000 }],
    });
    nowMs += 1;
    expect(ask('acme')).toMatchObject({
      code: 'STALE',
      message: expect.stringMatching(/60\.001 s ago, and answers for 60 s .*cut by the test/),
      metadata: { tenant: 'acme', data_age_ms: '60001', max_staleness_ms: '60000' },
    });
    expect([readiness.ready, readiness.loaded]).toEqual([false, true]);
    expect(readiness.report()).toEqual({
      ready: false,
      reason: 'the policies are older than 60 s (--max-staleness)',
      behind: [{ tenant: 'acme', dataAgeMs: 60_001, reason: 'cut by the test' }],
      more: 0,
    });
    await vi.waitFor(() => expect([told, stale]).toEqual([[false], [['acme', true]]]), { timeout: 5_000 });
    acme.store.away = false;
    acme.store.connect();
    await vi.waitFor(() => expect([ask('acme'), readiness.ready]).toEqual([answered, true]));
    expect(readiness.report()).toEqual({ ready: true, reason: '', behind: [], more: 0 });
    await vi.waitFor(() => expect([told.at(-1), stale.at(-1)]).toEqual([true, ['acme', false]]), { timeout: 5_000 });
  });

  it('answers all the same where the operator wants that, and says that it is old', async () => {
    const acme = await serve('acme');
    const { readiness, told, stale, ask } = readinessOf([acme], 60_000, false);
    acme.store.disconnect();
    nowMs += 3_600_000;
    expect([ask('acme'), readiness.ready]).toEqual([answered, true]);
    await vi.waitFor(() => expect(stale).toEqual([['acme', true]]), { timeout: 5_000 });
    expect(told).toEqual([]);
  });

  it('of one tenant is refused in that tenant, and does not take the others out of service', async () => {
    const [acme, globex] = [await serve('acme'), await serve('globex')];
    const { readiness, ask } = readinessOf([acme, globex], 60_000, true);
    acme.store.disconnect();
    nowMs += 60_001;
    expect([ask('acme'), ask('globex')]).toEqual([expect.objectContaining({ code: 'STALE' }), answered]);
    expect(readiness.report()).toMatchObject({ ready: true, behind: [{ tenant: 'acme' }] });
    globex.store.disconnect();
    nowMs += 60_001;
    expect(readiness.report()).toMatchObject({ ready: false, behind: [{ tenant: 'acme' }, { tenant: 'globex' }] });
  });
});

describe('without a bound', () => {
  it('every age answers', async () => {
    const acme = await serve('acme');
    const { readiness, ask } = readinessOf([acme], Number.POSITIVE_INFINITY, true);
    acme.store.disconnect();
    nowMs += 1e9;
    expect([ask('acme'), readiness.ready]).toEqual([answered, true]);
  });
});

it('a report names the first tenants that are behind, and counts the others', async () => {
  const many = await Promise.all(Array.from({ length: 23 }, (_, i) => serve(`t${i}`)));
  const { readiness } = readinessOf(many, 1_000, true);
  for (const { store } of many) store.disconnect();
  nowMs += 10;
  const { behind, more } = readiness.report();
  expect([behind.map(({ tenant }) => tenant), more]).toEqual([Array.from({ length: 20 }, (_, i) => `t${i}`), 3]);
});
