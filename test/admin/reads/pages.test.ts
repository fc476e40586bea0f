// What random small graphs do not show: system roles, globs of permissions, long lists, limits, and tokens that do not fit.
import { beforeAll, describe, expect, test } from 'vitest';
import type { BindingFilter, RoleFilter } from '../../../src/admin/api.ts';
import { listBindings } from '../../../src/admin/reads/list-bindings.ts';
import { listMembers } from '../../../src/admin/reads/list-members.ts';
import { listGroups, listObjects } from '../../../src/admin/reads/list-nodes.ts';
import { listRoles } from '../../../src/admin/reads/list-roles.ts';
import { tenantFacts } from '../../../src/admin/reads/tenant-facts.ts';
import type { Snapshot } from '../../../src/graph/snapshot.ts';
import type { EntityRecord } from '../../../src/model/entity.ts';
import { bind, gateFor, join, role, snapshotOf, whole } from './graphs.ts';

const anyRole: RoleFilter = { name: '', containsPermissions: [], objectType: '', system: undefined };
const anyBinding: BindingFilter = {
  subject: '',
  throughGroups: false,
  role: '',
  object: '',
  inherited: false,
  scope: '',
};

describe('the list of roles', () => {
  const snapshot = snapshotOf([
    { kind: 'role', name: 'shipped', permissions: ['file:*'], system: true },
    { kind: 'role', name: 'reader', permissions: ['file:read'] },
    { kind: 'role', name: 'all but read', permissions: ['file:*'], except: ['file:r*'] },
    { kind: 'role', name: 'included', permissions: [], includes: ['reader'] },
    { kind: 'role', name: 'narrowed', permissions: [{ objects: 'file:/pub/*', actions: ['read'] }] },
    { kind: 'role', name: 'root', permissions: ['*'] },
    { kind: 'role', name: 'empty', permissions: [] },
  ]);
  const CASES: readonly (readonly [string, Partial<RoleFilter>, readonly string[]])[] = [
    ['system roles', { system: true }, ['shipped']],
    ['others', { system: false, name: 'r*' }, ['reader', 'root']],
    ['a permission', { containsPermissions: ['file:read'] }, ['included', 'reader', 'root', 'shipped']],
    ['all of a type', { containsPermissions: ['file:*'] }, ['root', 'shipped']],
    ['a glob that meets no exception', { containsPermissions: ['file:w*'] }, ['all but read', 'root', 'shipped']],
    ['everything', { containsPermissions: ['*'] }, ['root']],
    ['any of two', { containsPermissions: ['x:y', 'file:read'], name: '*d*' }, ['included', 'reader', 'shipped']],
    ['a type', { objectType: 'file' }, ['all but read', 'included', 'narrowed', 'reader', 'shipped']],
  ];

  test.each(CASES)('finds those by %s', async (_, filter, expected) => {
    const { items } = await listRoles(gateFor(snapshot), { ...anyRole, ...filter }, whole);
    expect(items.map((record) => record.name)).toEqual(expected);
  });
});

describe('the list of bindings', () => {
  test('leaves out what is above an object and does not cascade', async () => {
    const snapshot = snapshotOf([
      { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:1' }] },
      bind('user:a', 'r', 'folder:1', { cascade: false }),
      bind('user:b', 'r', 'folder:1'),
      bind('user:c', 'r', 'doc:1', { cascade: false }),
    ]);
    const subjects = async (object: string) => {
      const { items } = await listBindings(gateFor(snapshot), { ...anyBinding, object, inherited: true }, whole);
      return items.map((binding) => binding.subject).sort();
    };
    expect(await subjects('doc:1')).toEqual(['user:b', 'user:c']);
    expect(await subjects('folder:1')).toEqual(['user:a', 'user:b']);
  });
});

describe('a long list', () => {
  const count = 30_000;
  let snapshot: Snapshot;
  beforeAll(() => {
    const records: EntityRecord[] = [role('r'), role('s')];
    for (let i = 0; i < count; i++) {
      records.push(bind(`user:${i}`, i % 3 === 0 ? 'r' : 's'), bind('user:all', 'r', `doc:${i}`));
      records.push(join('group:all', `user:${i}`));
      records.push({ kind: 'object', object: `doc:${i}`, parents: [{ object: 'folder:all' }] });
    }
    snapshot = snapshotOf(records);
  });

  const LISTS: readonly (readonly [
    string,
    number,
    (token: string) => Promise<{ items: readonly EntityRecord[]; nextPageToken: string }>,
  ])[] = [
    ['of a subject', count, (token) => bindings({ subject: 'user:all' }, token)],
    ['at a scope', count, (token) => bindings({ scope: '*' }, token)],
    ['of a role', count + count / 3, (token) => bindings({ role: 'r' }, token)],
    [
      'of members',
      count,
      (token) =>
        listMembers(gateFor(snapshot), { group: 'group:all', member: '', transitive: true }, { size: 7_001, token }),
    ],
    [
      'of children',
      count,
      (token) => listObjects(gateFor(snapshot), { type: '', parent: 'folder:all', object: '' }, { size: 7_001, token }),
    ],
    [
      'of objects',
      count,
      (token) => listObjects(gateFor(snapshot), { type: '', parent: '', object: '' }, { size: 7_001, token }),
    ],
  ];

  function bindings(filter: Partial<BindingFilter>, token: string) {
    return listBindings(gateFor(snapshot), { ...anyBinding, ...filter }, { size: 7_001, token });
  }

  test.each(LISTS)('%s comes whole by pages', async (_, expected, list) => {
    const seen = new Set<string>();
    let token = '';
    let pages = 0;
    do {
      const page = await list(token);
      for (const record of page.items) seen.add(JSON.stringify(record));
      token = page.nextPageToken;
      pages++;
    } while (token !== '' && pages < 100);
    expect(seen.size).toBe(expected);
    expect(pages).toBe(Math.ceil(expected / 7_001));
  });

  test('finds what is between a subject and a place without walking either', async () => {
    let looked = 0;
    const counted = <T extends object>(list: T): T =>
      new Proxy(list, {
        get(target, key) {
          if (typeof key === 'string' && /^[0-9]+$/.test(key)) looked++;
          return Reflect.get(target, key) as unknown;
        },
      });
    const pages = snapshot.bindingsOf.pages.map((page) =>
      page?.map((list) => (list && 'chunks' in list ? { ...list, chunks: counted(list.chunks.map(counted)) } : list)),
    );
    const gate = gateFor({ ...snapshot, bindingsOf: { ...snapshot.bindingsOf, pages } });
    const filter = { ...anyBinding, subject: 'user:all', object: 'doc:20000', inherited: true };
    expect((await listBindings(gate, filter, whole)).items).toHaveLength(1);
    expect(looked).toBeGreaterThan(0);
    expect(looked).toBeLessThan(1_000);
  });

  test('lets others run, and stops where nobody waits any more', async () => {
    const cancelled = AbortSignal.abort();
    await expect(
      listBindings(gateFor(snapshot), { ...anyBinding, role: 'unknown' }, whole, cancelled),
    ).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('is counted by the facts of the tenant', () => {
    const counts = { roleCount: 2, memberCount: count, objectCount: count, bindingCount: 2 * count };
    expect(tenantFacts(gateFor(snapshot))).toMatchObject({ ...counts, tenant: 'default', revision: 'test.1' });
  });
});

describe('a page', () => {
  const snapshot = snapshotOf([
    role('a'),
    role('b'),
    bind('user:a', 'a'),
    bind('user:b', 'a'),
    join('group:g', 'user:a'),
  ]);
  const gate = gateFor(snapshot);
  const first = () => listBindings(gate, anyBinding, { size: 1, token: '' });

  test('of more than 10,000 is refused, and 10,000 are not', async () => {
    await expect(listRoles(gate, anyRole, { size: 10_001, token: '' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await expect(listRoles(gate, anyRole, { size: 10_000, token: '' })).resolves.toMatchObject({ nextPageToken: '' });
  });

  test('goes on with the same filters only', async () => {
    const { nextPageToken: token } = await first();
    const others = [
      listBindings(gate, { ...anyBinding, role: 'a' }, { size: 1, token }),
      listRoles(gate, anyRole, { size: 1, token }),
      listBindings({ ...gate, tenant: 'other' }, anyBinding, { size: 1, token }),
    ];
    for (const other of others) await expect(other).rejects.toMatchObject({ code: 'INVALID_PAGE_TOKEN' });
    await expect(listBindings(gate, anyBinding, { size: 2, token })).resolves.toMatchObject({ nextPageToken: '' });
  });

  test('of a graph that was loaded anew is refused; of roles, which go by name, it goes on', async () => {
    const again = gateFor(snapshotOf([role('a'), role('b'), bind('user:b', 'a'), bind('user:a', 'a')]));
    const { nextPageToken } = await first();
    await expect(listBindings(again, anyBinding, { size: 1, token: nextPageToken })).rejects.toMatchObject({
      code: 'LIST_CHANGED',
    });
    const roles = await listRoles(gate, anyRole, { size: 1, token: '' });
    const rest = await listRoles(again, anyRole, { size: 1, token: roles.nextPageToken });
    expect(rest.items.map((record) => record.name)).toEqual(['b']);
  });

  test.each(['x', 'W10', Buffer.from('["",1]').toString('base64url'), Buffer.from('null').toString('base64url')])(
    'of the token %s is refused',
    async (token) => {
      await expect(listBindings(gate, anyBinding, { size: 1, token })).rejects.toMatchObject({
        code: 'INVALID_PAGE_TOKEN',
      });
    },
  );

  test('of a token with a made-up position is refused', async () => {
    const [lineage, digest] = JSON.parse(Buffer.from((await first()).nextPageToken, 'base64url').toString());
    for (const position of [[], [0, 0, 0, 0], [0, 0, 0, 0, 0], [-1, 0, 0, 0, ''], [0.5, 0, 0, 0, '']]) {
      const token = Buffer.from(JSON.stringify([lineage, digest, ...position])).toString('base64url');
      await expect(listBindings(gate, anyBinding, { size: 1, token })).rejects.toMatchObject({
        code: 'INVALID_PAGE_TOKEN',
      });
    }
  });
});

describe('a filter that is malformed is refused with its field', () => {
  const gate = gateFor(snapshotOf([role('a')]));
  const bindings = (filter: Partial<BindingFilter>) => listBindings(gate, { ...anyBinding, ...filter }, whole);
  const CASES: readonly (readonly [string, () => Promise<unknown>, string, string])[] = [
    ['a subject', () => bindings({ subject: 'bob' }), 'INVALID_SUBJECT', 'subject'],
    ['an object', () => bindings({ object: 'doc:*' }), 'INVALID_OBJECT', 'object'],
    ['a scope', () => bindings({ scope: 'doc' }), 'INVALID_REQUEST', 'scope'],
    ['a scope in JSON', () => bindings({ scope: '{"type":"doc"}' }), 'INVALID_REQUEST', 'scope'],
    ['a scope in broken JSON', () => bindings({ scope: '{' }), 'INVALID_REQUEST', 'scope'],
    ['a role', () => bindings({ role: 'a\nb' }), 'INVALID_REQUEST', 'role'],
    ['groups of nobody', () => bindings({ throughGroups: true }), 'INVALID_REQUEST', 'through_groups'],
    ['what reaches nothing', () => bindings({ inherited: true }), 'INVALID_REQUEST', 'inherited'],
    [
      'a group',
      () => listMembers(gate, { group: 'ops', member: '', transitive: false }, whole),
      'INVALID_SUBJECT',
      'group',
    ],
    [
      'a walk from nowhere',
      () => listMembers(gate, { group: '', member: '', transitive: true }, whole),
      'INVALID_REQUEST',
      'transitive',
    ],
    ['a name', () => listGroups(gate, { name: 'a\nb' }, whole), 'INVALID_REQUEST', 'name'],
    ['a type', () => listObjects(gate, { type: 'do c', parent: '', object: '' }, whole), 'INVALID_TYPE', 'type'],
    [
      'a permission',
      () => listRoles(gate, { ...anyRole, containsPermissions: ['a:b', 'read'] }, whole),
      'INVALID_REQUEST',
      'contains_permissions[1]',
    ],
  ];
  test.each(CASES)('%s', async (_, list, code, field) => {
    await expect(list()).rejects.toMatchObject({ code, metadata: { field } });
  });
});
