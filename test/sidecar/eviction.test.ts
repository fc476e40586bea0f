// Tenants that are let go for want of memory, over a store in memory and a clock that the test moves: who goes, who
// stays, and who waits for room.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { createNoLog } from '../../src/decision-log/no-log.ts';
import type { Change } from '../../src/model/change.ts';
import { createPdp } from '../../src/pdp/pdp.ts';
import { ServedTenants } from '../../src/sidecar/served-tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { readinessOf } from '../pdp/ready.ts';
import { FaultyStore } from '../replica/faulty-store.ts';

const role: Change = { op: 'put', record: { kind: 'role', name: 'viewer', permissions: ['doc:read'] } };
/** Longer than a tenant has to stay, in milliseconds. */
const stayMs = 5_000;

let store: FaultyStore;
let its: ServedTenants;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  store = new FaultyStore(createMemoryStore());
  for (const name of ['a', 'b', 'c', 'd', 'named']) await store.commit(name, [role]);
});
afterEach(async () => {
  await its.close();
  await store.close();
  vi.useRealTimers();
});

/** Two small tenants are within nine tenths of the bound, each taken for some 42,000 bytes; three are beyond it. */
function serve(tenant = '*', tenantMemoryBytes = '95000'): void {
  const flags = { redis: 'redis://nowhere', tenant, tenantLoading: 'on-demand', tenantMemoryBytes };
  const options = parseOptions({
    flags: { ...flags, compareInterval: '1h' },
    env: {},
    suggest: () => undefined,
    instance: 'one',
  });
  its = new ServedTenants(store, options, createLogger({ level: 'silent', format: 'json' }));
}

/** Until it was looked once whether somebody has to go. */
const sweep = () => vi.advanceTimersByTimeAsync(1_000);
const held = () => its.tenants.replicas.map(({ tenant }) => tenant).sort();
const find = (name: string) => its.tenants.find(name, new AbortController().signal);

describe('tenants that do not fit', () => {
  it('go in the order in which they were asked for last, and come back with the next question', async () => {
    serve();
    const a = await find('a');
    await find('b');
    await vi.advanceTimersByTimeAsync(stayMs);
    its.tenants.known('a');
    await find('c');
    await sweep();
    expect(held()).toEqual(['a', 'c']);
    expect(its.tenantFacts()).toMatchObject({ loaded: 2, evicted: 1 });
    expect([a.closed.aborted, its.tenants.known('b')]).toEqual([false, undefined]);
    await vi.advanceTimersByTimeAsync(stayMs);
    expect((await find('b')).current?.revision.number).toBe(1);
    expect(store.calls.load).toBe(4);
  });

  it('are followed no more, and what was made for them is released', async () => {
    serve();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { tenants } = its;
    const fixed = { log: createNoLog(), nextId: () => 'id', now: Date.now, allowAssertedGroups: false };
    const pdp = createPdp({ ...fixed, tenants, readiness: readinessOf(tenants) });
    const refs = await (async () => {
      const replica = await find('a');
      return [new WeakRef(replica), new WeakRef(await pdp.view('a', '')), new WeakRef(replica.current as object)];
    })();
    await vi.advanceTimersByTimeAsync(stayMs);
    await find('b');
    await find('c');
    await sweep();
    expect(its.tenants.has('a')).toBe(false);
    await store.commit('a', [role]);
    await vi.waitFor(() => {
      collect();
      expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
    });
  });

  it('stay while they are named, watched, or somebody waits for a revision of them', async () => {
    serve('named,*');
    await vi.waitFor(() => expect(its.tenants.ready).toBe(true));
    const a = await find('a');
    const release = its.tenants.hold(a);
    await vi.advanceTimersByTimeAsync(stayMs);
    await find('b');
    await vi.advanceTimersByTimeAsync(2 * stayMs);
    await find('c');
    await sweep();
    expect(held()).toEqual(['a', 'c', 'named']);
    const c = its.tenants.named('c');
    const awaited = c.waitFor({ epoch: c.current?.revision.epoch as string, number: 2 }, undefined);
    release();
    await vi.advanceTimersByTimeAsync(stayMs);
    await find('d');
    await vi.advanceTimersByTimeAsync(stayMs);
    expect(held()).toEqual(['c', 'd', 'named']);
    await store.commit('c', [role]);
    await awaited;
  });

  it('wait for room within their deadline where all that are here have just come', async () => {
    serve();
    for (const name of ['a', 'b', 'c']) await find(name);
    const patience = new AbortController();
    const impatient = its.tenants.find('d', patience.signal);
    const patient = find('named');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(its.tenantFacts()).toMatchObject({ loaded: 3, loadsWaiting: 2 });
    patience.abort();
    expect((await impatient).current).toBeUndefined();
    await vi.advanceTimersByTimeAsync(stayMs);
    expect((await patient).current?.revision.number).toBe(1);
  });

  it('are served even where one alone is larger than all may be', async () => {
    serve('*', '1000');
    expect((await find('a')).current?.revision.number).toBe(1);
    await vi.advanceTimersByTimeAsync(10 * stayMs);
    expect(held()).toEqual(['a']);
  });

  it('are forgotten where they have no policy and nobody asks for them any more', async () => {
    serve();
    await vi.waitFor(() => expect(its.tenants.ready).toBe(true));
    store.away = true;
    const patience = new AbortController();
    const asked = its.tenants.find('a', patience.signal);
    patience.abort();
    await asked;
    expect(held()).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(62_000);
    expect(held()).toEqual([]);
  });
});
