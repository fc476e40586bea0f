// What every store promises about the history that it keeps for people: who changed what, what was there before, and
// how one reads it from its end (src/store/store.ts). Run against each implementation by store.test.ts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, ChangeSet, Revision } from '../../src/model/change.ts';
import type { Store } from '../../src/store/store.ts';
import { hearConnected } from '../store/heard.ts';
import { anyChange, applyAll, bindingOf, deleteOf, loadGraph, newTenant, putOf } from '../store/records.ts';
import type { StoreUnderTest } from './store.suite.ts';

const nobody: Revision = { epoch: 'none', number: 0 };
const numbersOf = (changeSets: readonly ChangeSet[]) => changeSets.map(({ revision }) => revision.number);

/** All that a store tells from its end, asked for a few at a time. */
async function readBack(store: Store, tenant: string, limit: number): Promise<ChangeSet[]> {
  const all: ChangeSet[] = [];
  for (;;) {
    const some = await store.changesBefore(tenant, all.at(-1)?.revision, limit);
    expect(some.length).toBeLessThanOrEqual(limit);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

export function describeStoreHistory({ name, create, createSecond }: StoreUnderTest): void {
  describe(`the history of the ${name} store`, () => {
    let store: Store;
    let tenant: string;

    beforeEach(() => {
      store = create();
      tenant = newTenant();
    });
    afterEach(() => store.close());

    test('tells what was there before, and who acted for whom, as followers hear it', async () => {
      const heard = await hearConnected(store, tenant);
      const changes: Change[] = [
        { ...putOf(bindingOf(1)), before: bindingOf(1) },
        { ...deleteOf(bindingOf(2)), before: bindingOf(2) },
        putOf(bindingOf(3)),
      ];
      const revision = await store.commit(tenant, changes, { by: 'user:alice', via: 'service:"ui"', why: 'asked' });
      await heard.until('changes');
      const told = { revision, changes, at: expect.any(Number), by: 'user:alice', via: 'service:"ui"', why: 'asked' };
      expect(heard.all('changes').map(({ changeSet }) => changeSet)).toEqual([told]);
      expect(await store.changesSince(tenant, nobody, 1)).toEqual([told]);
      expect(await store.changesBefore(tenant, undefined, 1)).toEqual([told]);
      // What was before is told only: the graph is what the changes say.
      expect((await loadGraph(store, tenant)).graph).toEqual(applyAll(changes));
    });

    test('keeps what was before in a change set of many parts', async () => {
      const changes = Array.from({ length: 2500 }, (_, i): Change => {
        const change = i % 3 === 0 ? deleteOf(bindingOf(i)) : putOf(bindingOf(i));
        return i % 2 === 0 ? { ...change, before: bindingOf(i) } : change;
      });
      await store.commit(tenant, changes, { via: 'service:ui' });
      const [told] = await store.changesBefore(tenant, undefined, 1);
      expect(told).toMatchObject({ via: 'service:ui' });
      expect(told?.changes).toEqual(changes);
      expect((await store.changesSince(tenant, nobody, 1))?.[0]).toEqual(told);
      expect((await loadGraph(store, tenant)).graph).toEqual(applyAll(changes));
    });

    test.for([
      { what: 'a put', change: { ...putOf(bindingOf(1)), before: bindingOf(2) } },
      { what: 'a delete', change: { ...deleteOf(bindingOf(1)), before: bindingOf(2) } },
      { what: 'another kind', change: { ...deleteOf(bindingOf(1)), before: { kind: 'object', object: 'doc:1' } } },
    ] as const)('refuses another record as the one before it, and writes nothing: $what', async ({ change }) => {
      const head = await store.commit(tenant, [putOf(bindingOf(9))]);
      const many = Array.from({ length: 1500 }, (_, i) => putOf(bindingOf(i)));
      for (const changes of [[change], [...many, change]]) {
        await expect(store.commit(tenant, changes)).rejects.toMatchObject({ code: 'INTERNAL' });
      }
      expect(await store.head(tenant)).toEqual(head);
      expect((await loadGraph(store, tenant)).graph.size).toBe(1);
    });

    describe('read from its end', () => {
      test('is newest first, before a revision and not with it, at most as much as asked for', async () => {
        for (let i = 1; i <= 5; i++) await store.commit(tenant, [putOf(bindingOf(i))], { by: `w${i}` });
        const { epoch } = (await store.head(tenant)) as Revision;
        const numbersBefore = async (number: number | undefined, limit: number) =>
          numbersOf(await store.changesBefore(tenant, number === undefined ? undefined : { epoch, number }, limit));
        expect(await numbersBefore(undefined, 2)).toEqual([5, 4]);
        expect(await numbersBefore(4, 2)).toEqual([3, 2]);
        expect(await numbersBefore(4, 10)).toEqual([3, 2, 1]);
        expect(await numbersBefore(6, 1)).toEqual([5]);
        expect(await numbersBefore(1, 10)).toEqual([]);
        expect(await numbersBefore(0, 10)).toEqual([]);
        expect(await numbersBefore(undefined, 0)).toEqual([]);
        // Beyond the head, and so beyond what there is.
        expect(await numbersBefore(99, 2)).toEqual([5, 4]);
        expect(await store.changesBefore(tenant, { epoch: 'other', number: 4 }, 10)).toEqual([]);
        const [one] = await store.changesBefore(tenant, { epoch, number: 3 }, 1);
        expect(one).toEqual({
          revision: { epoch, number: 2, nonce: expect.any(String) },
          after: (await store.changesBefore(tenant, { epoch, number: 2 }, 1))[0]?.revision.nonce,
          changes: [putOf(bindingOf(2))],
          at: expect.any(Number),
          by: 'w2',
        });
      });

      test('is the same in one go, by one, and by a few, and what is told from its beginning', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.array(anyChange, { maxLength: 5 }), { minLength: 1, maxLength: 40 }),
            fc.integer({ min: 2, max: 39 }),
            async (changeSets, few) => {
              const own = newTenant();
              for (const changes of changeSets) await store.commit(own, changes);
              const whole = await store.changesBefore(own, undefined, 1000);
              expect([...whole].reverse()).toEqual(await store.changesSince(own, nobody, 1000));
              expect(await readBack(store, own, 1)).toEqual(whole);
              expect(await readBack(store, own, few)).toEqual(whole);
            },
          ),
          { numRuns: 15 },
        );
      });

      test('has change sets of many parts whole, wherever they stand', async () => {
        const sizes = [1, 3500, 2, 1001, 40_000, 0, 1, 2000];
        for (const size of sizes) {
          await store.commit(
            tenant,
            Array.from({ length: size }, (_, i) => putOf(bindingOf(i % 100))),
          );
        }
        for (const limit of [1, 3, 100]) {
          const told = await readBack(store, tenant, limit);
          expect(told.map(({ changes }) => changes.length)).toEqual(sizes.toReversed());
          expect(numbersOf(told)).toEqual(sizes.map((_, i) => sizes.length - i));
        }
      });

      test('may come in several goes where it is large, and none is missed', async () => {
        const changes = new Array(50_001).fill(putOf(bindingOf(1)));
        for (let i = 0; i < 3; i++) await store.commit(tenant, changes);
        expect((await store.changesBefore(tenant, undefined, 10)).length).toBeGreaterThan(0);
        expect(numbersOf(await readBack(store, tenant, 10))).toEqual([3, 2, 1]);
      });

      test('ends where it was cut off, without a gap', async () => {
        const short = create('short');
        for (let i = 1; i <= 400; i++) await short.commit(tenant, [putOf(bindingOf(i))]);
        const head = (await short.head(tenant)) as Revision;
        const told = await short.changesBefore(tenant, undefined, 1000);
        expect(told.length).toBeGreaterThan(0);
        expect(told.length).toBeLessThan(400);
        expect(numbersOf(told)).toEqual(told.map((_, i) => head.number - i));
        expect(await readBack(short, tenant, 7)).toEqual(told);
        expect(await short.changesBefore(tenant, told.at(-1)?.revision, 10)).toEqual([]);
        expect(await short.changesBefore(tenant, { ...head, number: 2 }, 10)).toEqual([]);
        await short.close();
      });

      test('has no gap while others commit', async () => {
        const second = createSecond(store);
        let done = false;
        const writer = (async () => {
          while (!done) {
            await second.commit(tenant, [putOf(bindingOf(1))]);
            await nextTurn();
          }
        })();
        await hearCommits(store, tenant);
        for (let i = 0; i < 50; i++) {
          await nextTurn();
          const told = await store.changesBefore(tenant, undefined, 40);
          const newest = told[0]?.revision.number ?? 0;
          expect(numbersOf(told)).toEqual(told.map((_, k) => newest - k));
          expect(told.length).toBe(Math.min(newest, 40));
        }
        done = true;
        await writer;
        if (second !== store) await second.close();
      });
    });
  });
}

/** Waits until somebody else has committed. */
async function hearCommits(store: Store, tenant: string): Promise<void> {
  const heard = await hearConnected(store, tenant);
  await heard.until('changes', 2);
  await heard.close();
}
