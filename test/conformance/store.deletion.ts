// What every store promises about the deletion of a tenant (src/store/store.ts). Run against each implementation by
// store.test.ts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { decide } from '../../src/engine/decide.ts';
import { type ChangeSet, formatRevision, type Revision } from '../../src/model/change.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { Store } from '../../src/store/store.ts';
import { hearConnected } from '../store/heard.ts';
import { applyAll, bindingOf, deleteOf, loadGraph, newTenant, oneOfEach, putOf } from '../store/records.ts';
import type { StoreUnderTest } from './store.suite.ts';

const nobody: Revision = { epoch: 'none', number: 0 };

export function describeStoreDeletion({ name, create, createSecond }: StoreUnderTest): void {
  describe(`a tenant of the ${name} store that is deleted`, () => {
    let store: Store;
    let second: Store;
    let tenant: string;

    beforeEach(() => {
      store = create();
      second = createSecond(store);
      tenant = newTenant();
    });
    afterEach(async () => {
      await second.close();
      await store.close();
    });

    const isListed = async (by = store) => (await by.tenants()).includes(tenant);

    test('is empty and off the list, and its history tells who deleted what', async () => {
      const other = newTenant();
      await store.commit(other, [putOf(bindingOf(1))]);
      const head = await store.commit(tenant, oneOfEach.map(putOf));
      const revision = await store.deleteTenant(tenant, { by: 'user:alice', via: 'service:ui', why: 'closed' });
      expect(revision).toEqual({ epoch: head.epoch, number: 2, nonce: expect.any(String) });
      expect(await store.head(tenant)).toEqual(revision);
      expect(await loadGraph(store, tenant)).toEqual({ graph: new Map(), revision });
      const [told, first] = await store.changesBefore(tenant, undefined, 10);
      expect(told).toMatchObject({ revision, by: 'user:alice', via: 'service:ui', why: 'closed' });
      const deletes = oneOfEach.map((before) => ({ ...deleteOf(before), before }));
      expect(told?.changes).toHaveLength(deletes.length);
      expect(told?.changes).toEqual(expect.arrayContaining(deletes));
      expect(first?.revision).toEqual(head);
      expect(await isListed()).toBe(false);
      expect(await isListed(second)).toBe(false);
      expect(await store.tenants()).toContain(other);
      expect((await loadGraph(store, other)).graph.size).toBe(1);
    });

    test('may be empty already, and is deleted all the same', async () => {
      await store.commit(tenant, []);
      expect((await store.deleteTenant(tenant)).number).toBe(2);
      expect(await isListed()).toBe(false);
    });

    test('is not there to be deleted again, nor is one that was never written', async () => {
      const refused = { code: 'NOT_FOUND', message: expect.stringContaining(tenant) };
      await expect(store.deleteTenant(tenant)).rejects.toMatchObject(refused);
      expect(await store.head(tenant)).toBeUndefined();
      await store.commit(tenant, [putOf(bindingOf(1))]);
      const revision = await store.deleteTenant(tenant);
      for (const expected of [undefined, revision]) {
        const options = expected === undefined ? {} : { expected };
        await expect(second.deleteTenant(tenant, options)).rejects.toMatchObject(refused);
      }
      expect(await store.head(tenant)).toEqual(revision);
    });

    test.for([
      { case: 'is behind', wrong: (head: Revision) => ({ ...head, number: head.number - 1 }) },
      { case: 'is of another epoch', wrong: (head: Revision) => ({ ...head, epoch: 'other' }) },
      { case: 'is that of an empty tenant', wrong: () => nobody },
    ])('stays where the expectation $case, and nobody hears of it', async ({ wrong }) => {
      const heard = await hearConnected(store, tenant);
      await store.commit(tenant, [putOf(bindingOf(1))]);
      const head = await store.commit(tenant, [putOf(bindingOf(2))]);
      await expect(store.deleteTenant(tenant, { expected: wrong(head) })).rejects.toMatchObject({
        code: 'REVISION_CONFLICT',
        metadata: { revision: formatRevision(head) },
      });
      expect(await isListed()).toBe(true);
      expect((await loadGraph(store, tenant)).graph.size).toBe(2);
      const revision = await store.deleteTenant(tenant, { expected: head });
      await heard.until('changes', 3);
      expect(heard.numbers()).toEqual([1, 2, revision.number]);
    });

    test('is listed again once it is written again, by whomever, and its numbers go on', async () => {
      const { epoch } = await store.commit(tenant, [putOf(bindingOf(1))]);
      await second.commit(tenant, [putOf(bindingOf(2))]);
      // Both have written it, so both know it as listed; each deletes, and the other writes again.
      for (const [deleting, writing] of [
        [store, second],
        [second, store],
        [store, store],
      ] as const) {
        const { number } = await deleting.deleteTenant(tenant);
        expect(await isListed()).toBe(false);
        const revision = await writing.commit(tenant, [putOf(bindingOf(number))]);
        expect(revision).toMatchObject({ epoch, number: number + 1 });
        expect(await isListed()).toBe(true);
        expect([...(await loadGraph(store, tenant)).graph.values()]).toEqual([bindingOf(number)]);
      }
      await store.deleteTenant(tenant);
      await second.commit(tenant, []);
      expect(await isListed()).toBe(true);
    });

    test.for([1, 5000])('leaves whoever follows with an empty graph (%i bindings)', async (count) => {
      const changes = [
        ...oneOfEach.filter(({ kind }) => kind === 'role'),
        ...Array.from({ length: count }, (_, i) => bindingOf(i, 'viewer')),
      ];
      await store.commit(tenant, changes.map(putOf));
      const replica = new Replica({
        store: second,
        tenant,
        graph: graphOptions,
        compareIntervalMs: 1_000_000,
        retryMs: 1,
        now: Date.now,
        onEvent: () => {},
      });
      try {
        const mayRead = () => {
          const query = {
            subject: 'user:0',
            action: 'read',
            object: 'doc:1',
            reach: 'inherited',
            assertedGroups: [],
          } as const;
          return replica.current === undefined ? undefined : decide(replica.current, query, 1).allowed;
        };
        await vi.waitFor(() => expect(mayRead()).toBe(true));
        const told: (ChangeSet | undefined)[] = [];
        replica.onSnapshot((_, changeSet) => told.push(changeSet));
        const revision = await store.deleteTenant(tenant);
        await vi.waitFor(() => expect(replica.current?.revision).toEqual(revision), { timeout: 10_000 });
        expect(mayRead()).toBe(false);
        expect(told.map((changeSet) => changeSet?.revision)).toEqual([revision]);
        expect(replica.state).toEqual({ kind: 'current' });
      } finally {
        await replica.close();
      }
    });

    test('while others write is deleted at one revision, or not at all', async () => {
      await store.commit(
        tenant,
        Array.from({ length: 1200 }, (_, i) => putOf(bindingOf(i))),
      );
      const head = (await store.head(tenant)) as Revision;
      let done = false;
      const written: number[] = [];
      const writer = (async () => {
        while (!done || written.length === 0) {
          written.push((await second.commit(tenant, [putOf(bindingOf(written.length))])).number);
          await nextTurn();
        }
      })();
      const outcomes = [
        await store.deleteTenant(tenant, { expected: head }).catch((error: unknown) => error),
        await store.deleteTenant(tenant).catch((error: unknown) => error),
      ];
      done = true;
      await writer;
      const history = (await store.changesSince(tenant, nobody, 1_000_000)) ?? [];
      expect((await loadGraph(store, tenant)).graph).toEqual(applyAll(history.flatMap(({ changes }) => changes)));
      for (const outcome of outcomes) {
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({ code: expect.stringMatching(/^(REVISION_CONFLICT|NOT_FOUND)$/) });
          continue;
        }
        const { number } = outcome as Revision;
        const until = history.filter(({ revision }) => revision.number <= number);
        expect(applyAll(until.flatMap(({ changes }) => changes)).size).toBe(0);
      }
    });
  });
}
