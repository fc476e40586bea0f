// A failover that loses commits gives their numbers out again: what a replica does that holds what was lost, and what
// those hear who wait for it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordsOf } from '../../src/graph/records.ts';
import type { Change, Revision } from '../../src/model/change.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { FaultyStore } from './faulty-store.ts';
import { createQuietReplica } from './quiet-replica.ts';

const tenant = 'default';
const role = (name: string): Change => ({ op: 'put', record: { kind: 'role', name, permissions: ['doc:read'] } });

let store: FaultyStore;
let replica: Replica;

beforeEach(async () => {
  store = new FaultyStore(createMemoryStore());
  store.epoch = 'e';
  await store.commit(tenant, [role('first')]);
  replica = createQuietReplica(store, tenant);
  await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
});
afterEach(async () => {
  await replica.close();
  await store.close();
});

const roles = () =>
  [...(replica.current === undefined ? [] : recordsOf(replica.current))]
    .flatMap((record) => (record.kind === 'role' ? [record.name] : []))
    .sort();
const revision = () => replica.current?.revision as Revision;

/** Another store takes the place of this one, with other commits; what it says meanwhile is not heard. */
async function failOver(...names: readonly string[]): Promise<void> {
  const other = createMemoryStore();
  for (const name of names) await other.commit(tenant, [role(name)]);
  await store.replace(other);
}

describe('a replica that holds a lost commit', () => {
  it('reloads where another commit has its number', async () => {
    await replica.waitFor(await store.commit(tenant, [role('lost')]), undefined);
    await failOver('first', 'other');
    await vi.waitFor(() => expect(roles()).toEqual(['first', 'other']));
    expect([revision(), store.calls.load]).toEqual([await store.head(tenant), 2]);
  });

  it('applies nothing on top of it, although the next number fits', async () => {
    await replica.waitFor(await store.commit(tenant, [role('lost')]), undefined);
    const compare = Promise.withResolvers<void>();
    store.beforeLoad = () => compare.promise;
    await failOver('first', 'other');
    await vi.waitFor(() => expect(store.calls.load).toBe(2));
    await store.commit(tenant, [role('third')]);
    expect(roles()).toEqual(['first', 'lost']);
    compare.resolve();
    await vi.waitFor(() => expect(roles()).toEqual(['first', 'other', 'third']));
  });

  it('reloads where history goes on from another commit', async () => {
    await replica.waitFor(await store.commit(tenant, [role('lost')]), undefined);
    await failOver('first', 'other', 'third', 'fourth');
    await vi.waitFor(() => expect(roles()).toEqual(['first', 'fourth', 'other', 'third']));
    expect(store.calls.load).toBe(2);
  });

  it('reloads when it hears of one that was made on another commit', async () => {
    await replica.waitFor(await store.commit(tenant, [role('lost')]), undefined);
    // It connects, and hears nothing before the message.
    store.away = true;
    await failOver('first', 'other');
    await vi.waitFor(() => expect(replica.state.kind).toBe('behind'));
    store.away = false;
    await store.commit(tenant, [role('third')]);
    await vi.waitFor(() => expect(roles()).toEqual(['first', 'other', 'third']));
    expect(roles()).not.toContain('lost');
  });

  it('is not suspected where a nonce is not known', async () => {
    expect(replica.has({ epoch: 'e', number: 1 })).toBe(true);
    await replica.waitFor({ epoch: 'e', number: 1 }, undefined);
    expect(store.calls.load).toBe(1);
  });
});

describe('waiting for a commit', () => {
  it('that was lost ends with REVISION_LOST once the store has said so', async () => {
    const lost = await store.commit(tenant, [role('lost')]);
    await replica.waitFor(lost, undefined);
    await failOver('first', 'other');
    await vi.waitFor(() => expect(roles()).toContain('other'));
    expect(replica.has(lost)).toBe(false);
    await expect(replica.waitFor(lost, undefined)).rejects.toMatchObject({
      code: 'REVISION_LOST',
      metadata: { field: 'at_least' },
    });
    await store.commit(tenant, [role('third')]);
    await expect(replica.waitFor(lost, undefined)).rejects.toMatchObject({ code: 'REVISION_LOST' });
  });

  it('that was lost before this replica heard of it ends when another takes its number', async () => {
    const { number } = revision();
    const waiting = replica.waitFor({ epoch: 'e', number: number + 1, nonce: 'lost' }, undefined);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'REVISION_LOST' });
    await store.commit(tenant, [role('other')]);
    await refused;
  });

  it('ends well where it was this replica that held what was lost', async () => {
    await replica.waitFor(await store.commit(tenant, [role('lost')]), undefined);
    store.away = true;
    await failOver('first');
    const kept = await store.commit(tenant, [role('kept')]);
    expect(replica.has(kept)).toBe(false);
    const waiting = replica.waitFor(kept, undefined);
    store.away = false;
    await waiting;
    expect(roles()).toEqual(['first', 'kept']);
  });

  it('waits for the store where only that can tell, and no longer than the caller does', async () => {
    store.away = true;
    const giveUp = new AbortController();
    const waiting = replica.waitFor({ ...revision(), nonce: 'other' }, giveUp.signal);
    giveUp.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'REVISION_NOT_REACHED' });
  });

  it('is told by number alone where the replica did not apply it itself', async () => {
    for (const name of ['second', 'third']) await store.commit(tenant, [role(name)]);
    const late = createQuietReplica(store, tenant);
    await vi.waitFor(() => expect(late.current?.revision.number).toBe(3));
    expect(late.has({ epoch: 'e', number: 2, nonce: 'lost' })).toBe(true);
    expect(late.has({ epoch: 'e', number: 3, nonce: 'lost' })).toBe(false);
    await late.close();
  });
});
