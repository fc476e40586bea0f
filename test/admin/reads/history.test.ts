// History by pages, from a real memory store, against filters over all that was committed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChangeSetFilter, Page } from '../../../src/admin/api.ts';
import { type ChangeSetPage, listChangeSets } from '../../../src/admin/reads/list-change-sets.ts';
import type { Change, ChangeSet } from '../../../src/model/change.ts';
import { entityKey } from '../../../src/model/entity.ts';
import { parseScope } from '../../../src/model/scope.ts';
import { createMemoryStore, type MemoryStoreOptions } from '../../../src/store/memory/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { groups, history, objects, users } from '../../reference/arbitraries.ts';
import { runs } from '../../reference/runs.ts';
import { bind, gateFor, role, snapshotOf, whole } from './graphs.ts';

const tenant = 'default';
const everything: ChangeSetFilter = { by: '', subject: '', role: '', object: '' };
const writers = ['user:a', 'service:a', 'cli'];

interface Written {
  readonly store: Store;
  readonly changeSets: readonly ChangeSet[];
  list(filter?: Partial<ChangeSetFilter>, page?: Page, subject?: string): Promise<ChangeSetPage>;
}

/** Commits each list of changes as one change set, every third on behalf of somebody. */
async function write(lists: readonly (readonly Change[])[], options: MemoryStoreOptions = {}): Promise<Written> {
  const store = createMemoryStore({ now: () => 1, ...options });
  const changeSets: ChangeSet[] = [];
  for (const [i, changes] of lists.entries()) {
    const by = writers[i % writers.length] as string;
    const via = i % 3 === 0 ? { via: 'service:portal' } : {};
    const revision = await store.commit(tenant, changes, { by, ...via, why: `reason ${i}` });
    const after = changeSets.at(-1)?.revision.nonce;
    const on = after === undefined ? {} : { after };
    changeSets.push({ revision, ...on, changes, at: 1, by, ...via, why: `reason ${i}` });
  }
  const head = (await store.head(tenant)) ?? { epoch: 'none', number: 0 };
  const snapshot = { ...snapshotOf([]), revision: head };
  return {
    store,
    changeSets,
    list: (filter, page = whole, subject = 'operator') =>
      listChangeSets(gateFor(snapshot, subject), store, { ...everything, ...filter }, page),
  };
}

/** Whether a change is about what is asked, said by the records of all that was ever written. */
function touches(change: Change, filter: ChangeSetFilter, all: readonly Change[]): boolean {
  const record =
    change.op === 'put'
      ? change.record
      : all.flatMap((other) => {
          const isIt =
            other.op === 'put' && other.record.kind === change.kind && entityKey(other.record) === change.key;
          return isIt ? [other.record] : [];
        })[0];
  if (record === undefined) throw new Error('a delete of what was never written');
  const about = { subject: [] as string[], role: [] as string[], object: [] as string[] };
  if (record.kind === 'binding') {
    const scope = parseScope(record.scope);
    about.subject.push(record.subject);
    about.role.push(record.role);
    if (scope.kind === 'object') about.object.push(scope.object);
  } else if (record.kind === 'member') {
    about.subject.push(record.member);
    about.object.push(record.group);
  } else if (record.kind === 'group' || record.kind === 'object') {
    const name = record.kind === 'group' ? record.group : record.object;
    about.subject.push(name);
    about.object.push(name);
  } else if (record.kind === 'role') about.role.push(record.name);
  return (['subject', 'role', 'object'] as const).every(
    (field) => filter[field] === '' || about[field].includes(filter[field]),
  );
}

const maybe = (...texts: readonly string[]) =>
  fc.oneof({ arbitrary: fc.constant(''), weight: 2 }, { arbitrary: fc.constantFrom(...texts), weight: 1 });
const filters = fc.record({
  by: maybe(...writers, 'service:portal', 'nobody'),
  subject: maybe(...users, ...groups, '*'),
  role: maybe('r1', '__proto__', 'unknown'),
  object: maybe(...objects, ...groups, 'doc:*'),
});

const identity = (change: Change) =>
  JSON.stringify(change.op === 'put' ? [change.record.kind, entityKey(change.record)] : [change.kind, change.key]);
/** Random histories; only what was put somewhere can be deleted, so that its record is known. */
const histories = history.map((lists) => {
  const put = new Set(lists.flat().flatMap((change) => (change.op === 'put' ? [identity(change)] : [])));
  return lists.map((changes) => changes.filter((change) => put.has(identity(change))));
});

describe('history', () => {
  test('is what was committed, newest first, filtered, and the same by pages', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(histories, filters, fc.integer({ min: 1, max: 2 }), async (lists, filter, size) => {
        const written = await write(lists);
        const all = lists.flat();
        const asksForChange = filter.subject !== '' || filter.role !== '' || filter.object !== '';
        const expected = written.changeSets.filter(
          ({ by, via, changes }) =>
            (filter.by === '' || by === filter.by || via === filter.by) &&
            (!asksForChange || changes.some((change) => touches(change, filter, all))),
        );
        const { items, trimmed, nextPageToken } = await written.list(filter);
        expect({ items, trimmed, nextPageToken }).toEqual({
          items: expected.toReversed(),
          trimmed: false,
          nextPageToken: '',
        });
        expect(await byPages(written, filter, size)).toEqual(items);
        found += items.length;
      }),
      { numRuns: runs },
    );
    expect(found).toBeGreaterThan(runs);
  });

  test('ends with its first change set, also where that fills a page', async () => {
    const written = await write([[], []]);
    expect(await written.list({}, { size: 2, token: '' })).toMatchObject({ nextPageToken: '', trimmed: false });
  });

  test('takes read_policy on the tenant', async () => {
    const written = await write([[]]);
    await expect(written.list({ subject: 'user:a' }, whole, 'user:a')).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  });

  test('says where older change sets are not kept any more, and only there', async () => {
    const lists = Array.from({ length: 9 }, () => []);
    const written = await write(lists, { history: { maxChangeSets: 4, maxChanges: 100 } });
    const first = await written.list({}, { size: 3, token: '' });
    expect(first).toMatchObject({ trimmed: false });
    expect(first.items.map(({ revision }) => revision.number)).toEqual([9, 8, 7]);
    const last = await written.list({}, { size: 3, token: first.nextPageToken });
    expect(last).toMatchObject({ trimmed: true, nextPageToken: '' });
    expect(last.items.map(({ revision }) => revision.number)).toEqual([6]);
  });

  test('goes on where it stopped although more is committed meanwhile', async () => {
    const written = await write([[], [], []]);
    const first = await written.list({}, { size: 1, token: '' });
    await written.store.commit(tenant, []);
    const rest = await written.list({}, { size: 9, token: first.nextPageToken });
    expect(rest.items.map(({ revision }) => revision.number)).toEqual([2, 1]);
  });

  test('shows nothing that the snapshot does not hold yet', async () => {
    const written = await write([[], []]);
    await written.store.commit(tenant, []);
    const { items } = await written.list();
    expect(items.map(({ revision }) => revision.number)).toEqual([2, 1]);
  });

  test('does not go on in another history', async () => {
    const [written, other] = [await write([[], [], []]), await write([[], [], []])];
    const { nextPageToken } = await written.list({}, { size: 1, token: '' });
    await expect(other.list({}, { size: 1, token: nextPageToken })).rejects.toMatchObject({ code: 'LIST_CHANGED' });
  });

  test('looks at no more than 5,000 change sets a page, and goes on from there', async () => {
    const rare: Change = { op: 'put', record: bind('user:rare', 'r') };
    const written = await write([[rare], ...Array.from({ length: 6_000 }, () => [])]);
    const first = await written.list({ subject: 'user:rare' });
    expect(first).toMatchObject({ items: [], trimmed: false });
    const second = await written.list({ subject: 'user:rare' }, { size: 0, token: first.nextPageToken });
    expect(second).toMatchObject({ items: [{ revision: { number: 1 } }], nextPageToken: '' });
  });

  test('puts no more than 10,000 changes on a page, except those of one change set', async () => {
    const many = (count: number): Change[] =>
      Array.from({ length: count }, (_, i) => ({ op: 'put', record: role(`r${i}`) }));
    const written = await write([many(5_000), many(12_000), many(5_000), many(5_000)]);
    const sizes: number[][] = [];
    let token = '';
    do {
      const page = await written.list({}, { size: 0, token });
      sizes.push(page.items.map(({ changes }) => changes.length));
      token = page.nextPageToken;
    } while (token !== '');
    expect(sizes).toEqual([[5_000, 5_000], [12_000], [5_000]]);
  });
});

async function byPages(written: Written, filter: ChangeSetFilter, size: number): Promise<ChangeSet[]> {
  const items: ChangeSet[] = [];
  let token = '';
  for (let i = 0; i < 100; i++) {
    const page = await written.list(filter, { size, token });
    items.push(...page.items);
    token = page.nextPageToken;
    if (token === '') return items;
  }
  throw new Error('the pages do not end');
}
