import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Source } from '../../src/import/importer.ts';
import { importKeycloak } from '../../src/import/keycloak.ts';
import { seed } from '../setup/seed.ts';
import { allowed, bindingsOf, expectFaithful, expectPrintable, fixture, refusalOf, source } from './imported.ts';
import { randomRealm } from './random-realms.ts';

const file = fixture('keycloak/seagrid-realm.json');
const airavata = new Map([
  ['gateway-user', 'Gateway Users'],
  ['admin', 'Admin Users'],
  ['admin-read-only', 'Read Only Admin Users'],
]);

describe('an import of a realm', () => {
  const imported = importKeycloak([file]);
  const { records, leftovers } = imported;
  const has = (subject: string) =>
    imported.rules.questions
      .filter(({ action, object }) => allowed(records, subject, action, object))
      .map(({ action, object }) => `${object} ${action}`);

  test('finds the roles that Keycloak finds, and can be written as a policy', () => {
    expectFaithful(imported);
    expectPrintable(imported);
  });

  test('gives members of a subgroup the roles of the group above it, and not the other way round', () => {
    const ofEveryone = [
      'client:account view-profile',
      'realm:seagrid default-roles-seagrid',
      'realm:seagrid offline_access',
    ];
    expect(has('user:olga').toSorted()).toEqual(
      [
        ...ofEveryone,
        'client:account manage-account',
        'realm:seagrid admin-read-only',
        'realm:seagrid gateway-user',
      ].sort(),
    );
    expect(has('user:pia').toSorted()).toEqual([...ofEveryone, 'realm:seagrid gateway-user'].sort());
    expect(has('user:new').toSorted()).toEqual(ofEveryone);
  });

  test('has a composite role hold its parts, of clients too', () => {
    expect(has('user:ada')).toContain('client:realm-management manage-users');
    expect(has('user:ada')).toContain('realm:seagrid gateway-user');
    expect(records).toContainEqual({
      kind: 'role',
      name: 'admin',
      permissions: [{ objects: 'realm:seagrid', actions: ['admin'] }],
      includes: ['gateway-user', 'realm-management:manage-users'],
    });
  });

  test('makes a service of the account of a client', () => {
    expect(has('service:portal')).toEqual(['client:realm-management manage-users']);
  });

  test('grants disabled accounts nothing, and says so', () => {
    expect(leftovers).toEqual([
      {
        subject: 'service:retired-app',
        what: 'the account; roles: 1, groups: 0',
        why: 'its client is disabled; import again once it can be used',
      },
      {
        subject: 'user:left',
        what: 'the account; roles: 1, groups: 1',
        why: 'it is not enabled; import again once it can be used',
      },
    ]);
    expect(has('user:left')).toEqual([]);
  });

  test('reads users from files beside the realm, in any order', () => {
    const { users, ...realm } = JSON.parse(file.text) as { users: readonly unknown[] };
    const part = (from: number, to?: number) => source('u.json', { realm: 'seagrid', users: users.slice(from, to) });
    const again = importKeycloak([part(3), source('realm.json', [realm]), part(0, 3)]);
    expect({ records: again.records, leftovers: again.leftovers }).toEqual({ records, leftovers });
  });
});

describe('roles that become groups', () => {
  const imported = importKeycloak([file], { groupRoles: airavata });
  const members = (group: string) =>
    imported.records.flatMap((record) => (record.kind === 'member' && record.group === group ? [record.member] : []));

  test('have as members whoever has the role, through groups and composites too', () => {
    expect(members('group:Gateway Users')).toEqual(['group:staff', 'user:ada']);
    expect(members('group:Admin Users')).toEqual(['user:ada']);
    expect(members('group:Read Only Admin Users')).toEqual(['group:staff/operators']);
  });

  test('hold the role in place of their members, and no decision changes', () => {
    expectFaithful(imported);
    expectPrintable(imported);
    expect(bindingsOf(imported)).toContain('allow group:Admin Users admin "*"');
    expect(bindingsOf(imported)).not.toContain('allow user:ada admin "*"');
  });

  const refused: ReadonlyArray<{ what: string; roles: readonly (readonly [string, string])[]; says: string }> = [
    { what: 'an unknown role', roles: [['admn', 'A']], says: '--group-role "admn=A" names the role "admn", which the' },
    {
      what: 'a group that the realm has',
      roles: [['admin', 'staff']],
      says: '--group-role "admin=staff" names a group that the realm has already',
    },
    {
      what: 'two roles for one group',
      roles: [
        ['admin', 'A'],
        ['gateway-user', 'A'],
      ],
      says: '--group-role "gateway-user=A" gives a second role to one group',
    },
    {
      what: 'a wildcard',
      roles: [['admin', '*']],
      says: '--group-role "admin=*" cannot make "group:*": it is a wildcard',
    },
  ];
  test.for(refused)('are refused for $what', ({ roles, says }) => {
    expect(refusalOf(() => importKeycloak([file], { groupRoles: new Map(roles) }))).toContain(says);
  });
});

test('a role whose name is a star is not all roles', () => {
  const users = [{ username: 'u', enabled: true, realmRoles: ['*'] }];
  const imported = importKeycloak([
    realm({ roles: { realm: [{ name: '*', composites: { realm: ['b'] } }, { name: 'b' }, { name: 'c' }] }, users }),
  ]);
  const may = (action: string) => allowed(imported.records, 'user:u', action, 'realm:r');
  expect(['*', 'b', 'c'].map(may)).toEqual([false, true, false]);
  expect(imported.leftovers).toMatchObject([{ what: 'having the role "*" itself' }]);
  expectPrintable(imported);
});

test('what is not read is named', () => {
  const { leftovers } = importKeycloak([
    source('r.json', {
      realm: 'r',
      roles: {},
      defaultGroups: ['/staff'],
      federatedUsers: [{ id: 'x' }],
      clients: [{ clientId: 'api', authorizationSettings: { policies: [{ name: 'p' }] } }],
    }),
  ]);
  expect(leftovers.map(({ what }) => what)).toEqual([
    '1 federated users',
    'all users',
    'authorization policies of the client "api"',
    'default group "/staff"',
  ]);
});

test('random realms give after what they gave before, print, and import to the same text', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(randomRealm, ({ json, groupRoles }) => {
      const imported = importKeycloak([source('r.json', json)], { groupRoles });
      expectFaithful(imported);
      expectPrintable(imported);
      expect(importKeycloak([source('r.json', json)], { groupRoles }).records).toEqual(imported.records);
    }),
    { seed, numRuns: 60 },
  );
});

const role = { name: 'a' };
const bad: ReadonlyArray<{ what: string; json: unknown; says: string }> = [
  {
    what: 'a file without roles',
    json: { realm: 'r' },
    says: 'r.json: has no roles; give the realm file',
  },
  { what: 'a list of realms', json: [{ realm: 'a' }, { realm: 'b' }], says: 'r.json: holds 2 realms' },
  {
    what: 'a disabled realm',
    json: { ...bare({}), enabled: false },
    says: 'r.json: enabled is false: nobody can log in',
  },
  {
    what: 'a circle of roles',
    json: bare({
      roles: {
        realm: [
          { name: 'a', composites: { realm: ['b'] } },
          { name: 'b', composites: { realm: ['a'] } },
        ],
      },
    }),
    says: 'r.json: roles.realm[1].composites is a circle of roles, a -> b -> a; take one of them out',
  },
  {
    what: 'an unknown role in a composite',
    json: bare({ roles: { client: { app: [{ name: 'a', composites: { client: { app: ['b'] } } }] } } }),
    says: 'r.json: roles.client.app[0].composites.client.app[0] names the role "b", which the client "app" does not have',
  },
  {
    what: 'a user with an unknown role',
    json: bare({ users: [{ username: 'u', enabled: true, realmRoles: ['x'] }] }),
    says: 'r.json: users[0].realmRoles[0] names the role "x", which the realm does not have',
  },
  {
    what: 'a user in an unknown group',
    json: bare({ users: [{ username: 'u', enabled: true, groups: ['/x'] }] }),
    says: 'r.json: users[0].groups[0] names the group "/x", which the export does not have',
  },
  {
    what: 'two roles of one name in the graph',
    json: bare({ roles: { realm: [{ name: 'app:a' }], client: { app: [role] } } }),
    says: 'r.json: roles.client.app[0].name is the role "app:a" a second time',
  },
  {
    what: 'two groups of one path',
    json: bare({ groups: [{ name: 'a/b' }, { name: 'a', subGroups: [{ name: 'b' }] }] }),
    says: 'r.json: groups[1].subGroups[0].name is the path of two groups, "a/b"; rename one',
  },
  {
    what: 'a user who is all users',
    json: bare({ users: [{ username: '*', enabled: true }] }),
    says: 'r.json: users[0].username would become "user:*", which is a wildcard',
  },
  {
    what: 'a role with a newline',
    json: bare({ roles: { realm: [{ name: 'a\nb' }] } }),
    says: 'r.json: roles.realm[0].name would become "a\\nb", which holds a control character',
  },
];

test.for(bad)('$what is refused with its place', ({ json, says }) => {
  expect(refusalOf(() => importKeycloak([source('r.json', json)]))).toContain(says);
});

test('users of another realm are refused', () => {
  const sources = [realm({}), source('other-users.json', { realm: 'other', users: [] })];
  expect(refusalOf(() => importKeycloak(sources))).toContain(
    'other-users.json: realm is "other", but the roles are of "r"',
  );
});

function bare(json: object): object {
  return { realm: 'r', roles: { realm: [role] }, users: [], ...json };
}

function realm(json: object): Source {
  return source('r.json', bare(json));
}
