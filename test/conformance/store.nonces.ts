// What every store promises about the nonces of commits: a number that is given out twice is not taken for one commit.
// Run against each implementation by store.test.ts.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Revision } from '../../src/model/change.ts';
import type { Store } from '../../src/store/store.ts';
import { hearConnected } from '../store/heard.ts';
import { bindingOf, loadGraph, newTenant, putOf } from '../store/records.ts';
import type { StoreUnderTest } from './store.suite.ts';

const nobody: Revision = { epoch: 'none', number: 0 };
const many = Array.from({ length: 2_500 }, (_, i) => putOf(bindingOf(i)));

export function describeStoreNonces({ name, create }: StoreUnderTest): void {
  describe(`a commit to the ${name} store`, () => {
    let store: Store;
    let tenant: string;

    beforeEach(() => {
      store = create();
      tenant = newTenant();
    });
    afterEach(() => store.close());

    test('has a nonce of its own, and everybody is told the same one, and the one before it', async () => {
      const heard = await hearConnected(store, tenant);
      const revisions: Revision[] = [];
      for (const changes of [[], [putOf(bindingOf(1))], many, []]) {
        revisions.push(await store.commit(tenant, changes));
        expect(await store.head(tenant)).toEqual(revisions.at(-1));
        expect((await loadGraph(store, tenant)).revision).toEqual(revisions.at(-1));
      }
      await expect.poll(() => heard.numbers()).toEqual([1, 2, 3, 4]);
      const told = heard.told.flatMap((each) =>
        each.what === 'changes' ? [each.changeSet.revision] : each.what === 'head' ? [each.head] : [],
      );
      expect(told).toEqual(revisions);
      const nonces = revisions.map(({ nonce }) => nonce);
      expect(new Set(nonces).size).toBe(4);
      const forwards = (await store.changesSince(tenant, nobody, 10)) ?? [];
      expect(forwards.map(({ revision }) => revision)).toEqual(revisions);
      expect(forwards.map(({ after }) => after)).toEqual([undefined, ...nonces.slice(0, 3)]);
      expect(await store.changesBefore(tenant, undefined, 10)).toEqual(forwards.toReversed());
    });

    test('is expected by number and nonce, where both are known', async () => {
      await store.commit(tenant, []);
      const head = await store.commit(tenant, [putOf(bindingOf(1))]);
      const lost = { ...head, nonce: 'lost' };
      const refused = { code: 'REVISION_CONFLICT', message: expect.stringContaining(`not at ${head.epoch}.2.lost`) };
      await expect(store.commit(tenant, [], { expected: lost })).rejects.toMatchObject(refused);
      await expect(store.commit(tenant, many, { expected: lost })).rejects.toMatchObject(refused);
      await expect(store.deleteTenant(tenant, { expected: lost })).rejects.toMatchObject(refused);
      expect(await store.head(tenant)).toEqual(head);
      const unknown = { epoch: head.epoch, number: head.number };
      const next = await store.commit(tenant, [], { expected: unknown });
      expect((await store.commit(tenant, [], { expected: next })).number).toBe(4);
    });

    test('is where history goes on only for those who hold it, at the head and before it', async () => {
      const revisions: Revision[] = [];
      for (let i = 1; i <= 4; i++) revisions.push(await store.commit(tenant, i === 3 ? many : [putOf(bindingOf(i))]));
      for (const [i, { epoch, number, nonce }] of revisions.entries()) {
        const left = 3 - i;
        expect(await store.changesSince(tenant, { epoch, number, nonce: nonce as string }, 10)).toHaveLength(left);
        expect(await store.changesSince(tenant, { epoch, number }, 10)).toHaveLength(left);
        expect(await store.changesSince(tenant, { epoch, number, nonce: 'lost' }, 10)).toBeUndefined();
      }
    });
  });
}
