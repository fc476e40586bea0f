// What every store promises (src/store/store.ts), claim by claim. Run against each implementation by store.test.ts.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatRevision, type Revision } from '../../src/model/change.ts';
import { maxChangesPerCommit } from '../../src/model/limits.ts';
import type { Store } from '../../src/store/store.ts';
import { hear, hearConnected } from '../store/heard.ts';
import {
  anyChange,
  applyAll,
  bindingOf,
  deleteOf,
  loadGraph,
  nastyIds,
  newTenant,
  oneOfEach,
  putOf,
} from '../store/records.ts';

export interface StoreUnderTest {
  readonly name: string;
  /** A store without data of the given tenants; `short` asks for a history of few change sets. */
  create(history?: 'short'): Store;
  /** Another client of the same data; the store itself where there is no such thing. */
  createSecond(first: Store): Store;
}

const nobody: Revision = { epoch: 'none', number: 0 };

export function describeStoreData({ name, create, createSecond }: StoreUnderTest): void {
  describe(`the ${name} store`, () => {
    let store: Store;
    let tenant: string;

    beforeEach(() => {
      store = create();
      tenant = newTenant();
    });
    afterEach(() => store.close());

    test('an empty tenant has no head, no records and no changes', async () => {
      expect(await store.head(tenant)).toBeUndefined();
      expect(await loadGraph(store, tenant)).toEqual({ graph: new Map(), revision: nobody });
      expect(await store.changesSince(tenant, nobody, 10)).toEqual([]);
      expect(await store.changesSince(tenant, { epoch: 'e', number: 3 }, 10)).toBeUndefined();
      expect(await store.changesBefore(tenant, undefined, 10)).toEqual([]);
      expect(await store.tenants()).not.toContain(tenant);
    });

    test('revisions count from 1 in one epoch, and every kind of record comes back', async () => {
      const first = await store.commit(tenant, oneOfEach.map(putOf));
      const second = await store.commit(tenant, []);
      const nonce = expect.stringMatching(/^[A-Za-z0-9]{1,64}$/);
      expect(first).toEqual({ epoch: nonce, number: 1, nonce });
      expect(second).toEqual({ epoch: first.epoch, number: 2, nonce });
      expect(await store.head(tenant)).toEqual(second);
      const { graph, revision } = await loadGraph(store, tenant);
      expect([...graph.values()]).toEqual(oneOfEach);
      expect(revision).toEqual(second);
    });

    test('what is loaded, and what history replays, is what the commits left', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(anyChange, { maxLength: 12 }), { maxLength: 8 }), async (changeSets) => {
          const own = newTenant();
          for (const changes of changeSets) await store.commit(own, changes);
          const expected = applyAll(changeSets.flat());
          const loaded = await loadGraph(store, own);
          expect(loaded.revision.number).toBe(changeSets.length);
          expect(loaded.graph).toEqual(expected);
          const history = await store.changesSince(own, nobody, 100);
          expect(history?.map(({ changes }) => changes)).toEqual(changeSets);
        }),
        { numRuns: 60 },
      );
    });

    test('changes of a change set apply in their order', async () => {
      const record = bindingOf(1);
      await store.commit(tenant, [putOf(record), deleteOf(record)]);
      expect((await loadGraph(store, tenant)).graph.size).toBe(0);
      await store.commit(tenant, [
        deleteOf(record),
        putOf(record),
        putOf({ ...record, note: 'last' } as typeof record),
      ]);
      expect([...(await loadGraph(store, tenant)).graph.values()]).toEqual([{ ...record, note: 'last' }]);
    });

    test('deleting what is not there is no error, and makes a revision', async () => {
      const revision = await store.commit(tenant, [deleteOf(bindingOf(1))]);
      expect(revision.number).toBe(1);
      expect((await loadGraph(store, tenant)).graph.size).toBe(0);
    });

    describe('an expectation', () => {
      test('that the tenant is empty holds in any epoch, once', async () => {
        const revision = await store.commit(tenant, [putOf(bindingOf(1))], { expected: nobody });
        await expect(store.commit(tenant, [], { expected: nobody })).rejects.toMatchObject({
          code: 'REVISION_CONFLICT',
          metadata: { revision: formatRevision(revision) },
        });
      });

      test.for([
        { case: 'is behind', expect: (head: Revision) => ({ ...head, number: head.number - 1 }) },
        { case: 'is ahead', expect: (head: Revision) => ({ ...head, number: head.number + 1 }) },
        { case: 'is of another epoch', expect: (head: Revision) => ({ ...head, epoch: 'other' }) },
      ])('that $case writes nothing and tells nobody', async ({ expect: wrong }) => {
        const heard = await hearConnected(store, tenant);
        await store.commit(tenant, [putOf(bindingOf(1))]);
        const head = await store.commit(tenant, [putOf(bindingOf(2))]);
        const before = await loadGraph(store, tenant);
        await expect(store.commit(tenant, [putOf(bindingOf(3))], { expected: wrong(head) })).rejects.toMatchObject({
          code: 'REVISION_CONFLICT',
        });
        expect(await loadGraph(store, tenant)).toEqual(before);
        expect(await store.changesSince(tenant, head, 10)).toEqual([]);
        const next = await store.commit(tenant, [putOf(bindingOf(4))], { expected: head });
        await heard.until('changes', 3);
        expect(heard.numbers()).toEqual([1, 2, next.number]);
      });

      test('of many writers at once holds for exactly one', async () => {
        const head = await store.commit(tenant, []);
        const second = createSecond(store);
        const writers = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? store : second));
        const outcomes = await Promise.allSettled(
          writers.map((each, i) => each.commit(tenant, [putOf(bindingOf(i))], { expected: head })),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect((await loadGraph(store, tenant)).graph.size).toBe(1);
        if (second !== store) await second.close();
      });
    });

    test('a large commit is one step: nobody sees a part of it, and followers learn of it', async () => {
      const heard = await hearConnected(store, tenant);
      const changes = Array.from({ length: 5000 }, (_, i) => putOf(bindingOf(i)));
      const progress: number[] = [];
      let done = false;
      const commit = store
        .commit(tenant, changes, {
          onProgress: (count, total) => {
            expect(total).toBe(5000);
            progress.push(count);
          },
        })
        .finally(() => {
          done = true;
        });
      const sizes = new Set<number>();
      while (!done) sizes.add((await loadGraph(store, tenant)).graph.size);
      const revision = await commit;
      sizes.add((await loadGraph(store, tenant)).graph.size);
      expect([...sizes].filter((size) => size !== 0)).toEqual([5000]);
      expect(progress.at(-1)).toBe(5000);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
      await vi.waitFor(() => expect(heard.numbers()).toEqual([revision.number]));
      const history = await store.changesSince(tenant, nobody, 10);
      expect(history?.map((each) => each.changes.length)).toEqual([5000]);
      expect(history?.[0]?.changes).toEqual(changes);
    });

    test('more changes than the limit are refused, and nothing is written', async () => {
      const many = new Array(maxChangesPerCommit + 1).fill(putOf(bindingOf(1)));
      await expect(store.commit(tenant, many)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      expect(await store.head(tenant)).toBeUndefined();
    });

    test.for(nastyIds)('the id %j is kept, told apart and deleted as it is', async (id) => {
      const record = { kind: 'member', group: `group:${id}`, member: `user:${id}` } as const;
      const others = [
        { kind: 'object', object: `doc:${id}`, parents: [{ object: `doc:${id}${id}` }] },
        { kind: 'binding', subject: `user:${id}`, role: id, scope: { object: `doc:${id}*` } },
      ] as const;
      await store.commit(tenant, [record, ...others].map(putOf));
      expect([...(await loadGraph(store, tenant)).graph.values()]).toEqual([record, ...others]);
      await store.commit(tenant, [deleteOf(record)]);
      expect([...(await loadGraph(store, tenant)).graph.values()]).toEqual(others);
    });

    test('tenants are apart, and listed sorted once they have a history', async () => {
      const [a, b] = [`${tenant}.a`.slice(-60), `${tenant}.b`.slice(-60)];
      await store.commit(b, [putOf(bindingOf(2))]);
      await store.commit(a, [putOf(bindingOf(1))]);
      await store.commit(a, []);
      expect([...(await loadGraph(store, a)).graph.values()]).toEqual([bindingOf(1)]);
      expect([...(await loadGraph(store, b)).graph.values()]).toEqual([bindingOf(2)]);
      const [headA, headB] = [await store.head(a), await store.head(b)];
      expect([headA?.number, headB?.number]).toEqual([2, 1]);
      expect(headA?.epoch).not.toBe(headB?.epoch);
      expect((await store.tenants()).filter((each) => each === a || each === b)).toEqual([a, b]);
      const all = await store.tenants();
      expect(all).toEqual([...all].sort());
    });

    test('a tenant name that is not legal is refused everywhere', async () => {
      const bad = '{acme}:head';
      const refused = { code: 'INVALID_TENANT' };
      await expect(store.head(bad)).rejects.toMatchObject(refused);
      await expect(store.load(bad, () => {})).rejects.toMatchObject(refused);
      await expect(store.changesSince(bad, nobody, 1)).rejects.toMatchObject(refused);
      await expect(store.changesBefore(bad, undefined, 1)).rejects.toMatchObject(refused);
      await expect(store.deleteTenant(bad)).rejects.toMatchObject(refused);
      await expect(store.commit(bad, [])).rejects.toMatchObject(refused);
      expect(() => hear(store, bad)).toThrow(expect.objectContaining(refused));
    });

    test('what onBatch throws comes out of load as it is', async () => {
      await store.commit(tenant, [putOf(bindingOf(1))]);
      const mine = new Error('mine');
      const load = store.load(tenant, () => {
        throw mine;
      });
      await expect(load).rejects.toBe(mine);
    });

    test('a closed store refuses, tells followers nothing, and may be closed twice', async () => {
      const heard = await hearConnected(store, tenant);
      const second = create();
      await store.close();
      await store.close();
      await expect(store.head(tenant)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await second.commit(tenant, []);
      expect(heard.told).toEqual([{ what: 'connected' }]);
      await second.close();
    });
  });
}
