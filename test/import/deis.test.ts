import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { importDeis } from '../../src/import/deis.ts';
import type { Source } from '../../src/import/importer.ts';
import { seed } from '../setup/seed.ts';
import { allowed, expectFaithful, expectPrintable, fixture, refusalOf, source } from './imported.ts';

const dump = fixture('deis/dump.json');

describe('an import of a dump', () => {
  const imported = importDeis([dump]);
  const { records, leftovers } = imported;

  test('decides as the controller does, and can be written as a policy', () => {
    expectFaithful(imported);
    expectPrintable(imported);
  });

  test('lets a collaborator do everything but delete and let others in', () => {
    const may = (subject: string) =>
      ['read', 'push', 'scale', 'perms:list', 'perms:create', 'perms:delete', 'transfer', 'delete'].filter((action) =>
        allowed(records, subject, action, 'app:blog'),
      );
    expect(may('user:carlo')).toEqual(['read', 'push', 'scale', 'perms:list']);
    expect(may('user:olive')).toHaveLength(8);
    expect(may('user:root')).toHaveLength(8);
  });

  test('decides on the app what belongs to it', () => {
    const domain = 'domain:*.blog.example.com';
    expect(allowed(records, 'user:carlo', 'read', domain)).toBe(true);
    expect(allowed(records, 'user:carlo', 'delete', domain)).toBe(false);
    expect(allowed(records, 'user:olive', 'delete', domain)).toBe(true);
    expect(allowed(records, 'user:carlo', 'rollback', 'release:0a1b2c3d-0000-4000-8000-000000000013')).toBe(true);
  });

  test('keeps certificates and keys from administrators too', () => {
    expect(allowed(records, 'user:carlo', 'read', 'certificate:blog-cert')).toBe(true);
    expect(allowed(records, 'user:root', 'read', 'certificate:blog-cert')).toBe(false);
    expect(allowed(records, 'user:root', 'users:list', 'cluster:main')).toBe(true);
  });

  test('grants who cannot log in nothing, and names what has no place', () => {
    expect(records.some((record) => JSON.stringify(record).includes('"user:left"'))).toBe(false);
    expect(leftovers).toEqual([
      {
        subject: 'user:carlo',
        what: 'delete_app on api.app 0a1b2c3d-0000-4000-8000-000000000001',
        why: 'Deis decides by use_app on apps alone',
      },
      {
        subject: 'user:carlo',
        what: 'use_app on api.app 0a1b2c3d-0000-4000-8000-0000000000ff',
        why: 'there is no such app',
      },
      {
        subject: 'user:left',
        what: 'the account of an administrator; apps owned: 1, permissions: 1',
        why: 'it cannot log in; import again once it can',
      },
    ]);
  });

  test('is the same whatever the order of rows, and from several files', () => {
    const rows = (JSON.parse(dump.text) as unknown[]).toReversed();
    const again = importDeis([source('b.json', rows.slice(0, 7)), source('a.json', rows.slice(7))]);
    expect({ records: again.records, leftovers: again.leftovers }).toEqual({ records, leftovers });
  });
});

test('natural keys say the same as numbers', () => {
  const rows = [
    { model: 'auth.user', fields: { username: 'olive' } },
    { model: 'auth.user', fields: { username: 'carlo' } },
    { model: 'api.app', pk: 'u1', fields: { id: 'a*', owner: ['olive'] } },
    {
      model: 'guardian.userobjectpermission',
      fields: { permission: ['use_app', 'api', 'app'], content_type: ['api', 'app'], object_pk: 'u1', user: ['carlo'] },
    },
  ];
  const imported = importDeis([source('dump.json', rows)]);
  expectFaithful(imported);
  expect(imported.leftovers).toEqual([]);
  expect(allowed(imported.records, 'user:carlo', 'push', 'app:a*')).toBe(true);
  // The name of the app is no pattern.
  expect(allowed(imported.records, 'user:carlo', 'push', 'app:another')).toBe(false);
});

describe('random controllers', () => {
  const key = fc.integer({ min: 1, max: 5 });
  const user = fc.record({
    username: fc.constantFrom('a', 'b', 'c', '__proto__', 'root', 'x:y', 'AnonymousUser'),
    is_superuser: fc.boolean(),
    is_active: fc.oneof({ arbitrary: fc.constant(true), weight: 3 }, { arbitrary: fc.constant(false), weight: 1 }),
  });
  const controller = fc
    .record({
      users: fc.uniqueArray(user, { selector: (it) => it.username, minLength: 5, maxLength: 7 }),
      owners: fc.array(key, { minLength: 1, maxLength: 4 }),
      grants: fc.array(fc.tuple(key, fc.integer({ min: 1, max: 5 }), fc.constantFrom('use_app', 'delete_app')), {
        maxLength: 10,
      }),
      parts: fc.array(
        fc.tuple(fc.constantFrom('build', 'config', 'release', 'domain', 'tls', 'appsettings'), fc.nat(3)),
        { maxLength: 5 },
      ),
      keepers: fc.array(key, { maxLength: 3 }),
    })
    .map(({ users, owners, grants, parts, keepers }) => [
      ...users.map((fields, i) => ({ model: 'auth.user', pk: i + 1, fields })),
      ...owners.map((owner, i) => ({ model: 'api.app', pk: `u${i + 1}`, fields: { id: `app-${i}*`, owner } })),
      ...grants.map(([who, app, codename], i) => ({
        model: 'guardian.userobjectpermission',
        pk: i,
        fields: { permission: [codename, 'api', 'app'], object_pk: `u${app}`, user: who },
      })),
      ...parts.map(([type, app], i) => ({
        model: `api.${type}`,
        pk: i,
        fields: { app: `u${(app % owners.length) + 1}`, domain: `*.d${i}` },
      })),
      ...keepers.flatMap((owner, i) => [
        { model: 'api.certificate', pk: i, fields: { owner, name: `c${i}` } },
        { model: 'api.key', pk: `k${i}`, fields: { owner } },
      ]),
    ]);

  test('decide after as before, print, and import to the same text', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(controller, (rows) => {
        const imported = importDeis([source('dump.json', rows)]);
        expectFaithful(imported);
        expectPrintable(imported);
        expect(importDeis([source('dump.json', rows)]).records).toEqual(imported.records);
      }),
      { seed, numRuns: 60 },
    );
  });
});

const alice = { model: 'auth.user', pk: 1, fields: { username: 'alice' } };
const blog = { model: 'api.app', pk: 'u1', fields: { id: 'blog', owner: 1 } };
const grant = (fields: object) => ({
  model: 'guardian.userobjectpermission',
  pk: 1,
  fields: { permission: ['use_app', 'api', 'app'], object_pk: 'u1', user: 1, ...fields },
});

const bad: ReadonlyArray<{ what: string; rows: unknown; says: string }> = [
  { what: 'an object instead of a list', rows: {}, says: 'dump.json: is not a list: write [...]' },
  { what: 'a dump without users', rows: [blog], says: 'dump.json: has no auth.user' },
  {
    what: 'an unknown owner',
    rows: [alice, { ...blog, fields: { id: 'blog', owner: 2 } }],
    says: 'dump.json: [1].fields.owner refers to the user "2", whom the dump does not have',
  },
  {
    what: 'a permission by number that is not in the dump',
    rows: [alice, blog, grant({ permission: 31 })],
    says: 'dump.json: [2].fields.permission refers to auth.permission "31", which is not in the dump; dump it too, or use --natural-foreign',
  },
  {
    what: 'a build of an unknown app',
    rows: [alice, { model: 'api.build', pk: 1, fields: { app: 'u9' } }],
    says: 'dump.json: [1].fields.app refers to the app "u9", which the dump does not have',
  },
  {
    what: 'an app that is all apps',
    rows: [alice, { ...blog, fields: { id: '*', owner: 1 } }],
    says: 'dump.json: [1].fields.id would become "app:*", which is a whole type',
  },
  {
    what: 'two users of one name',
    rows: [alice, { ...alice, pk: 2 }],
    says: 'dump.json: [1].fields.username is the user "alice" a second time',
  },
  { what: 'two users of one key', rows: [alice, { ...alice, fields: { username: 'bob' } }], says: '[1].pk is the key' },
  { what: 'a row without a model', rows: [alice, { pk: 1 }], says: 'dump.json: [1].model is missing' },
  {
    what: 'a flag that is text',
    rows: [{ ...alice, fields: { username: 'alice', is_superuser: 'no' } }],
    says: 'dump.json: [0].fields.is_superuser is "no"; write true or false',
  },
];

test.for(bad)('$what is refused with its place', ({ rows, says }) => {
  const sources: readonly Source[] = [source('dump.json', rows)];
  expect(refusalOf(() => importDeis(sources))).toContain(says);
});
