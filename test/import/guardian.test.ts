// Permissions given one by one, matched to roles.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GuardianOptions, importGuardian } from '../../src/import/guardian.ts';
import type { Import, Source } from '../../src/import/importer.ts';
import type { BindingRecord } from '../../src/model/entity.ts';
import { formatPolicy } from '../../src/policy-file/print.ts';
import { runs, say } from '../reference/runs.ts';
import { seed } from '../setup/seed.ts';
import { changed, expectValidPolicy, reported } from './brute-force.ts';

const read = (name: string): Source => ({
  name,
  text: readFileSync(join(import.meta.dirname, 'fixtures/guardian', name), 'utf8'),
});
const json = (name: string, value: unknown): Source => ({ name, text: JSON.stringify(value) });
const rolesOf = (imported: Import, subject: string) =>
  imported.records
    .filter((record): record is BindingRecord => record.kind === 'binding' && record.subject === subject)
    .map(({ role }) => role.replace(/^container\.container/, ''));

describe('a dump of a container registry', () => {
  const imported = importGuardian([read('dump.json')], { roles: read('roles.json') });

  test('gives the role that comes first of those that are held whole, and consumes what it holds', () => {
    expect(rolesOf(imported, 'user:olga')).toEqual(['repository_owner']);
    expect(rolesOf(imported, 'user:carl')).toEqual(['remote_creator', 'repository_content_manager']);
    expect(rolesOf(imported, 'group:publishers')).toEqual(['remote_owner']);
    expect(rolesOf(imported, 'user:root')).toEqual(['superuser']);
  });

  test('leaves over what no role takes, and what an inactive user held', () => {
    const href = '/pulp/api/v3/repositories/container/container/0188/';
    expect(imported.leftovers).toEqual([
      {
        subject: 'user:gone',
        what: 'container.view_containerremote on container.containerremote:7',
        why: 'the user is not active',
      },
      {
        subject: 'user:sync',
        what: `container.sync_containerrepository on container.containerrepository:${href}`,
        why: 'no role takes it',
      },
    ]);
  });

  test('names what a role gives beyond what was held, and what a permission on a model reaches now', () => {
    const changes = reported(imported).map((change) => change.replaceAll('container.container', ''));
    expect(changes).toEqual(
      [
        '+ group:publishers manage_roles remote:7',
        '+ user:carl add remote:(any other)',
        '+ user:carl add remote:7',
        '+ user:olga manage_roles remote:7',
        '+ user:vera manage_roles remote:7',
        '- user:sync sync repository:/pulp/api/v3/repositories/container/container/0188/',
      ].sort(),
    );
  });

  test('loses nothing with a role for each permission, and says nothing of levels that were combined', () => {
    const options = { roles: read('roles.json'), rolePerPermission: true, levels: 'combined' } as const;
    const all = importGuardian([read('dump.json')], options);
    expect(all.leftovers.map(({ why }) => why)).toEqual(['the user is not active']);
    expect(reported(all).filter((change) => !change.includes('manage_roles'))).toEqual([]);
    expect(rolesOf(all, 'user:sync')).toEqual(['repository:sync', 'repository_viewer']);
  });

  test('is a valid policy, the same whatever the order of the dump', () => {
    expectValidPolicy(imported);
    const dump = JSON.parse(read('dump.json').text) as Record<string, unknown[]>;
    const reversed = Object.fromEntries(Object.entries(dump).map(([key, list]) => [key, list.toReversed()]));
    const again = importGuardian([json('dump.json', reversed)], { roles: read('roles.json') });
    expect(formatPolicy(again.records)).toBe(formatPolicy(imported.records));
    expect(again.leftovers).toEqual(imported.leftovers);
  });

  test('takes roles from a policy file, too, in the order of the file, with what they include', () => {
    const roles = {
      name: 'roles.yaml',
      text: `version: 1
roles:
  editor: { includes: [viewer], permissions: ['container.containerremote:change'] }
  viewer: { permissions: ['container.containerremote:view'] }
`,
    };
    const some = importGuardian([read('dump.json')], { roles });
    expect(rolesOf(some, 'group:publishers')).toEqual(['editor']);
    expect(some.leftovers.map(({ what }) => what)).toContain(
      'container.delete_containerremote on container.containerremote:7',
    );
  });
});

const bad: ReadonlyArray<{ what: string; dump?: unknown; roles?: unknown; message: string }> = [
  { what: 'no JSON', dump: undefined, message: 'dump.json: is not JSON' },
  { what: 'a misspelt part', dump: { user_permissions: [] }, message: 'dump.json: user_permissions is not known here' },
  {
    what: 'a permission without an app',
    dump: { user_model_permissions: [{ username: 'a', permissions: ['view'] }] },
    message: 'dump.json: user_model_permissions[0] has permission "view"; write "app_label.codename"',
  },
  {
    what: 'an object whose type cannot be told',
    dump: { user_object_permissions: [{ username: 'a', object: '/x/', permissions: ['a.view_b', 'a.view_c'] }] },
    message: 'dump.json: user_object_permissions[0] has object "/x/", whose content type is not certain',
  },
  {
    what: 'one permission on two content types',
    dump: {
      user_object_permissions: [
        { username: 'a', object: 'a.b:1', permissions: ['a.view_b'] },
        { username: 'a', object: 'a.c:1', permissions: ['a.view_b'] },
      ],
    },
    message: 'gives "a.view_b" on a a.c, but it belongs to a.b elsewhere',
  },
  {
    what: 'a user twice',
    dump: { users: [{ username: 'a' }, { username: 'a' }] },
    message: 'users[1] names user:a a second',
  },
  {
    what: 'a role that grants by wildcard',
    roles: [{ name: 'all', permissions: ['a.b:*'] }],
    message: 'roles.json: [0] has "a.b:*", which nobody can hold as a whole',
  },
  { what: 'a role of nothing', roles: [{ name: 'none', permissions: [] }], message: 'everybody would match it' },
];

test.for(bad)('$what is refused with its place', ({ dump = {}, roles = [], message, what }) => {
  const source = what === 'no JSON' ? { name: 'dump.json', text: '{' } : json('dump.json', dump);
  expect(() => importGuardian([source], { roles: json('roles.json', roles) })).toThrow(message);
});

describe('on random dumps', { timeout: 20_000 + runs * 100 }, () => {
  const names = ['a', 'b', 'c'];
  const permissions = ['view', 'change', 'delete'].flatMap((verb) => ['x', 'y'].map((model) => `app.${verb}_${model}`));
  const objects = ['app.x:1', 'app.x:2', 'app.y:1'];
  const modelHolding = fc.record({ who: fc.constantFrom(...names), permissions: fc.subarray(permissions) });
  const objectHolding = fc
    .record({
      who: fc.constantFrom(...names),
      object: fc.constantFrom(...objects),
      permissions: fc.subarray(permissions),
    })
    .map((holding) => ({
      ...holding,
      permissions: holding.permissions.filter((one) => one.endsWith(holding.object[4] as string)),
    }));
  const dumps = fc.record({
    users: fc.uniqueArray(
      fc.record({ username: fc.constantFrom(...names), is_superuser: fc.boolean(), is_active: fc.boolean() }),
      { selector: ({ username }) => username },
    ),
    members: fc.subarray(names),
    ofUsers: fc.array(modelHolding, { maxLength: 3 }),
    ofGroup: fc.array(modelHolding, { maxLength: 2 }),
    onObjects: fc.array(objectHolding, { maxLength: 5 }),
    groupOnObjects: fc.array(objectHolding, { maxLength: 2 }),
  });
  const permissionSet = fc.subarray(permissions, { minLength: 1 });
  const roleLists = fc
    .array(fc.record({ match: permissionSet, extra: fc.subarray(permissions) }), { maxLength: 4 })
    .map((list) =>
      list.map(({ match, extra }, i) => ({ name: `role${i}`, match, permissions: [...new Set([...match, ...extra])] })),
    );
  const options = fc.record({
    levels: fc.constantFrom('separate' as const, 'combined' as const),
    rolePerPermission: fc.boolean(),
  });

  test('the report names every decision that differs, and no other one', () => {
    const property = fc.property(dumps, roleLists, options, (dump, roles, chosen) => {
      const imported = importGuardian([json('dump.json', toDump(dump))], {
        ...chosen,
        roles: json('roles.json', { roles }),
      });
      expectValidPolicy(imported);
      const allowed = oldDecision(dump, chosen.levels);
      expect(reported(imported), say(dump)).toEqual(changed(imported, imported.rules.subjects, allowed));
    });
    fc.assert(property, { seed, numRuns: runs });
  });

  test('roles without more than what they match, and a role for each leftover, change nothing', () => {
    const property = fc.property(dumps, roleLists, (dump, roles) => {
      const exact = roles.map(({ name, match }) => ({ name, permissions: match }));
      const chosen: GuardianOptions = { levels: 'combined', rolePerPermission: true, roles: json('roles.json', exact) };
      const imported = importGuardian([json('dump.json', toDump(dump))], chosen);
      expect(reported(imported), say({ dump, roles })).toEqual([]);
      expect(imported.leftovers.filter(({ why }) => why !== 'the user is not active')).toEqual([]);
    });
    fc.assert(property, { seed, numRuns: runs });
  });

  type Generated = typeof dumps extends fc.Arbitrary<infer T> ? T : never;

  function toDump({ users, members, ofUsers, ofGroup, onObjects, groupOnObjects }: Generated) {
    return {
      users,
      groups: [{ name: 'g', members }],
      user_model_permissions: ofUsers.map(({ who, permissions: held }) => ({ username: who, permissions: held })),
      group_model_permissions: ofGroup.map(({ permissions: held }) => ({ groupname: 'g', permissions: held })),
      user_object_permissions: onObjects.map(({ who, object, permissions: held }) => ({
        username: who,
        object,
        permissions: held,
      })),
      group_object_permissions: groupOnObjects.map(({ object, permissions: held }) => ({
        groupname: 'g',
        object,
        permissions: held,
      })),
    };
  }

  /** Django's decision, with plain loops over the dump. */
  function oldDecision({ users, members, ofUsers, ofGroup, onObjects, groupOnObjects }: Generated, levels: string) {
    return (subject: string, action: string, object: string): boolean => {
      const name = subject.slice(subject.indexOf(':') + 1);
      const isGroup = subject === 'group:g';
      const user = isGroup ? undefined : users.find(({ username }) => username === name);
      if (user?.is_active === false) return false;
      if (user?.is_superuser) return true;
      const inGroup = isGroup || members.includes(name);
      const [type, verb] = object === '' ? action.split(':') : [object.split(':')[0], action];
      const wanted = `app.${verb}_${(type as string).slice(4)}`;
      const onModel = [...(isGroup ? [] : ofUsers.filter(({ who }) => who === name)), ...(inGroup ? ofGroup : [])];
      const onObject = [
        ...(isGroup ? [] : onObjects.filter(({ who }) => who === name)),
        ...(inGroup ? groupOnObjects : []),
      ];
      const counting = object === '' || levels === 'combined' ? onModel : [];
      const here = object === '' ? [] : onObject.filter((holding) => holding.object === object);
      return [...counting, ...here].some(({ permissions: held }) => held.includes(wanted));
    };
  }
});
