// What every store promises about history and followers (src/store/store.ts). Run against each implementation by
// store.test.ts; what it promises about data is in store.suite.ts.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Revision } from '../../src/model/change.ts';
import type { Store } from '../../src/store/store.ts';
import { hear, hearConnected } from '../store/heard.ts';
import { anyChange, bindingOf, loadGraph, newTenant, putOf } from '../store/records.ts';
import type { StoreUnderTest } from './store.suite.ts';

const nobody: Revision = { epoch: 'none', number: 0 };

export function describeStoreFollowing({ name, create, createSecond }: StoreUnderTest): void {
  describe(`the ${name} store`, () => {
    let store: Store;
    let tenant: string;

    beforeEach(() => {
      store = create();
      tenant = newTenant();
    });
    afterEach(() => store.close());

    describe('history', () => {
      test('is told oldest first, at most as much as asked for, with who and why', async () => {
        const before = Date.now();
        const revisions: Revision[] = [];
        for (let i = 1; i <= 5; i++)
          revisions.push(await store.commit(tenant, [putOf(bindingOf(i))], { by: `w${i}`, why: 'a "test"' }));
        const [first, ...others] = revisions as [Revision, ...Revision[]];
        const head = (await store.head(tenant)) as Revision;
        const some = await store.changesSince(tenant, first, 2);
        expect(some).toEqual(
          [2, 3].map((number) => ({
            revision: others[number - 2],
            after: revisions[number - 2]?.nonce,
            changes: [putOf(bindingOf(number))],
            at: expect.toSatisfy((at: number) => at >= before && at <= Date.now()),
            by: `w${number}`,
            why: 'a "test"',
          })),
        );
        expect(await store.changesSince(tenant, head, 2)).toEqual([]);
      });

      test('of another epoch, or beyond the head, is undefined', async () => {
        const head = await store.commit(tenant, []);
        expect(await store.changesSince(tenant, { epoch: 'other', number: 1 }, 10)).toBeUndefined();
        expect(await store.changesSince(tenant, { epoch: head.epoch, number: 2 }, 10)).toBeUndefined();
      });

      test('that was cut off is undefined, and what is left is without gaps', async () => {
        const short = create('short');
        for (let i = 1; i <= 400; i++) await short.commit(tenant, [putOf(bindingOf(i))]);
        const head = (await short.head(tenant)) as Revision;
        const { epoch, number } = head;
        expect(await short.changesSince(tenant, { epoch, number: 1 }, 10)).toBeUndefined();
        const last = await short.changesSince(tenant, { epoch, number: number - 1 }, 10);
        expect(last?.map(({ revision }) => revision)).toEqual([head]);
        expect((await loadGraph(short, tenant)).graph.size).toBe(400);
        await short.close();
      });
    });

    describe('followers', () => {
      test('hear every commit in order, once they are told that they are connected', async () => {
        const second = createSecond(store);
        const heard = await Promise.all([
          hearConnected(store, tenant),
          hearConnected(store, tenant),
          hearConnected(second, tenant),
        ]);
        const numbers: number[] = [];
        for (let i = 1; i <= 50; i++)
          numbers.push((await (i % 2 ? store : second).commit(tenant, [putOf(bindingOf(i))])).number);
        await Promise.all(heard.map((each) => each.until('changes', 50)));
        for (const each of heard) expect(each.numbers()).toEqual(numbers);
        expect(heard[2]?.all('changes')[9]?.changeSet).toEqual({
          revision: { epoch: expect.any(String), number: 10, nonce: expect.any(String) },
          after: heard[0]?.all('changes')[8]?.changeSet.revision.nonce,
          changes: [putOf(bindingOf(10))],
          at: expect.any(Number),
        });
        if (second !== store) await second.close();
      });

      test('are told what history says', async () => {
        const heard = await hearConnected(store, tenant);
        await fc.assert(
          fc.asyncProperty(
            fc.array(anyChange, { maxLength: 20 }),
            fc.string({ unit: 'grapheme' }),
            async (changes, why) => {
              const { epoch, number } = await store.commit(tenant, changes, { why });
              await vi.waitFor(() => expect(heard.numbers().at(-1)).toBe(number), { interval: 1 });
              const since = number === 1 ? nobody : { epoch, number: number - 1 };
              expect([heard.all('changes').at(-1)?.changeSet]).toEqual(await store.changesSince(tenant, since, 1));
            },
          ),
          { numRuns: 40 },
        );
      });

      test('are not called from inside commit or follow', async () => {
        const heard = hear(store, tenant);
        expect(heard.told).toEqual([]);
        await heard.until('connected');
        const commit = store.commit(tenant, []);
        expect(heard.numbers()).toEqual([]);
        await commit;
        await heard.until('changes');
      });

      test('hear nothing after they are closed, and may be closed twice', async () => {
        const closed = await hearConnected(store, tenant);
        const open = await hearConnected(store, tenant);
        await closed.close();
        await closed.close();
        await store.commit(tenant, []);
        await open.until('changes');
        expect(closed.numbers()).toEqual([]);
        // One that comes after the last has gone is connected again.
        await open.close();
        const later = await hearConnected(store, tenant);
        await store.commit(tenant, []);
        await later.until('changes');
        expect(later.numbers()).toEqual([2]);
      });

      test('of one tenant hear nothing of another', async () => {
        const other = newTenant();
        const heard = await hearConnected(store, tenant);
        await store.commit(other, [putOf(bindingOf(1))]);
        await store.commit(tenant, [putOf(bindingOf(2))]);
        await heard.until('changes');
        expect(heard.all('changes').map(({ changeSet }) => changeSet.changes)).toEqual([[putOf(bindingOf(2))]]);
      });
    });
  });
}
