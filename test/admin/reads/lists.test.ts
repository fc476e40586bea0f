// Every list over random graphs, with every filter, against loops over the records; whole, by pages, and by pages
// between which the graph changes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Listed, Page } from '../../../src/admin/api.ts';
import { createReadGate, type ReadGate } from '../../../src/admin/reads/gate.ts';
import { listBindings } from '../../../src/admin/reads/list-bindings.ts';
import { listMembers } from '../../../src/admin/reads/list-members.ts';
import { listGroups, listObjects } from '../../../src/admin/reads/list-nodes.ts';
import { listRoles } from '../../../src/admin/reads/list-roles.ts';
import { graphOptions } from '../../../src/condition/graph-options.ts';
import { applyChanges } from '../../../src/graph/apply.ts';
import { recordsOf } from '../../../src/graph/records.ts';
import { emptySnapshot, type Snapshot } from '../../../src/graph/snapshot.ts';
import type { Change } from '../../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../../src/model/entity.ts';
import { formatScope, parseScope } from '../../../src/model/scope.ts';
import { groups, history, now, objects, objectTypes, scope, users, usually } from '../../reference/arbitraries.ts';
import { runs, sameRecords } from '../../reference/runs.ts';
import { bindingsOf, groupsOf, membersOf, objectsOf, rolesOf } from './filtered.ts';

/** One question: how the list is asked, and what it should say. */
interface Question {
  readonly asked: unknown;
  readonly list: (gate: ReadGate, page: Page) => Promise<Listed<EntityRecord>>;
  readonly expected: (records: readonly EntityRecord[]) => readonly EntityRecord[];
}

// More often no filter than one: together they would leave nothing.
const maybe = (...texts: readonly string[]) =>
  fc.oneof({ arbitrary: fc.constant(''), weight: 2 }, { arbitrary: fc.constantFrom(...texts), weight: 1 });
const principals = [...users, ...groups, '*', 'user:*', 'anonymous', 'user:unknown'];
const roleNames = ['r1', '__proto__', 'r:/ "*', 'undefined role', 'unknown'];
const things = [...objects, 'folder:unregistered', 'doc:unknown', 'doc:a/x'];

const roles: fc.Arbitrary<Question> = fc
  .record({
    name: maybe('r*', '*_*', 'r1', 'unknown', '*'),
    containsPermissions: usually<string[]>(
      fc.constant([]),
      fc.uniqueArray(fc.constantFrom('doc:read', 'folder:Get:x', 'doc:constructor', 'x:y'), {
        maxLength: 3,
        size: 'max',
      }),
    ),
    objectType: maybe(...objectTypes),
    system: fc.constantFrom(undefined, undefined, true, false),
  })
  .map((filter) => ({
    asked: filter,
    list: (gate, page) => listRoles(gate, filter, page),
    expected: (records) => rolesOf(records, filter),
  }));

const groupNames: fc.Arbitrary<Question> = maybe('group:g1', 'group:*', '*g*', 'group:[*', 'user:a', 'group:no').map(
  (name) => ({
    asked: name,
    list: (gate, page) => listGroups(gate, { name }, page),
    expected: (records) => groupsOf(records, name),
  }),
);

const members: fc.Arbitrary<Question> = fc
  .record({ group: maybe(...groups, 'group:no'), member: maybe(...principals), deep: fc.boolean() })
  .map(({ group, member, deep }) => {
    const filter = { group, member, transitive: deep && (group !== '' || member !== '') };
    return {
      asked: filter,
      list: (gate, page) => listMembers(gate, filter, page),
      expected: (records) => membersOf(records, filter, now),
    };
  });

const bindings: fc.Arbitrary<Question> = fc
  .record({
    subject: maybe(...principals),
    role: maybe(...roleNames),
    object: maybe(...things),
    scope: fc.oneof(
      fc.constant(''),
      scope.map((input) => formatScope(parseScope(input))),
    ),
    through: fc.boolean(),
    inherited: fc.boolean(),
  })
  .map((drawn) => {
    const { subject, role, object, scope: place } = drawn;
    const throughGroups = drawn.through && subject !== '';
    const inherited = drawn.inherited && object !== '';
    const filter = { subject, throughGroups, role, object, inherited, scope: place };
    return {
      asked: filter,
      list: (gate, page) => listBindings(gate, filter, page),
      expected: (records) => bindingsOf(records, filter, now),
    };
  });

const registered: fc.Arbitrary<Question> = fc
  .record({ type: maybe(...objectTypes, 'no'), parent: maybe(...things), object: maybe(...things) })
  .map((filter) => ({
    asked: filter,
    list: (gate, page) => listObjects(gate, filter, page),
    expected: (records) => objectsOf(records, filter),
  }));

const LISTS = { roles, groups: groupNames, members, bindings, objects: registered };

const gateOf = (snapshot: Snapshot) =>
  createReadGate({ tenant: 'default', snapshot, reader: { subject: 'service:root', operator: true }, nowMs: now });

function snapshotsOf(changeSets: readonly (readonly Change[])[]): readonly Snapshot[] {
  let snapshot = emptySnapshot(graphOptions);
  return changeSets.map((changes, i) => {
    snapshot = applyChanges(snapshot, changes, { epoch: 'test', number: i + 1 });
    return snapshot;
  });
}

/** All pages, each asked of the next snapshot; the last snapshot answers whatever is left. */
async function byPages(question: Question, snapshots: readonly Snapshot[], size: number): Promise<EntityRecord[]> {
  const items: EntityRecord[] = [];
  let token = '';
  for (let i = 0; i < 1_000; i++) {
    const snapshot = snapshots[Math.min(i, snapshots.length - 1)] as Snapshot;
    const page = await question.list(gateOf(snapshot), { size, token });
    expect(page.items.length).toBeLessThanOrEqual(size);
    if (page.nextPageToken !== '') expect(page.items).toHaveLength(size);
    items.push(...page.items);
    token = page.nextPageToken;
    if (token === '') return items;
  }
  throw new Error('the pages do not end');
}

describe.each(Object.entries(LISTS))('the list of %s', (_, questions) => {
  test('holds what a filter over the records holds', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(history, fc.array(questions, { minLength: 5, maxLength: 10 }), async (changeSets, asked) => {
        const snapshot = snapshotsOf(changeSets).at(-1) as Snapshot;
        const records = [...recordsOf(snapshot)];
        for (const question of asked) {
          const { items, nextPageToken } = await question.list(gateOf(snapshot), { size: 0, token: '' });
          expect(nextPageToken).toBe('');
          sameRecords(items, question.expected(records));
          found += items.length;
        }
      }),
      { numRuns: runs },
    );
    expect(found).toBeGreaterThan(runs);
  });

  test('is the same by pages, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(history, questions, fc.integer({ min: 1, max: 3 }), async (changeSets, question, size) => {
        const snapshot = snapshotsOf(changeSets).at(-1) as Snapshot;
        const { items } = await question.list(gateOf(snapshot), { size: 0, token: '' });
        expect(await byPages(question, [snapshot], size)).toEqual(items);
      }),
      { numRuns: runs },
    );
  });

  test('shows nothing twice, and misses nothing that was there all the time, where the graph changes between pages', async () => {
    await fc.assert(
      fc.asyncProperty(history, questions, async (changeSets, question) => {
        const snapshots = snapshotsOf(changeSets);
        const seen = (await byPages(question, snapshots, 1)).map(entityKey);
        expect(new Set(seen).size).toBe(seen.length);
        const each = snapshots.map((snapshot) => question.expected([...recordsOf(snapshot)]).map(entityKey));
        for (const key of each[0] as string[]) {
          if (each.every((keys) => keys.includes(key))) expect(seen).toContain(key);
        }
      }),
      { numRuns: runs },
    );
  });
});
