// Who may read what: each read, asked by each reader, and what the refusal says.
import { describe, expect, test } from 'vitest';
import type { BindingFilter, MemberFilter, ObjectFilter, RoleFilter } from '../../../src/admin/api.ts';
import type { ReadGate } from '../../../src/admin/reads/gate.ts';
import { listBindings } from '../../../src/admin/reads/list-bindings.ts';
import { listMembers } from '../../../src/admin/reads/list-members.ts';
import { listGroups, listObjects } from '../../../src/admin/reads/list-nodes.ts';
import { listRoles } from '../../../src/admin/reads/list-roles.ts';
import { tenantFacts } from '../../../src/admin/reads/tenant-facts.ts';
import { bind, gateFor, join, role, snapshotOf, whole } from './graphs.ts';

const snapshot = snapshotOf([
  role('auditor', '*:read_policy'),
  role('writer', 'doc:write'),
  { kind: 'role', name: 'editor', permissions: [], includes: ['writer'] },
  role('w*'),
  { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:1' }] },
  bind('user:auditor', 'auditor'),
  bind('user:owner', 'auditor', 'doc:1'),
  bind('user:above', 'auditor', 'folder:1'),
  bind('user:manager', 'auditor', 'group:g'),
  bind('user:past', 'auditor', '*', { expiresAt: 1 }),
  bind('user:denied', 'auditor'),
  bind('user:denied', 'auditor', 'doc:1', { effect: 'deny' }),
  bind('group:g', 'editor', 'doc:1'),
  bind('user:in', 'w*', 'doc:1'),
  bind('user:past', 'writer', '*', { expiresAt: 1 }),
  bind('user:refused', 'writer', '*', { effect: 'deny' }),
  join('group:g', 'user:in'),
  join('group:h', 'group:g'),
]);

const all: BindingFilter = {
  subject: '',
  throughGroups: false,
  role: '',
  object: '',
  inherited: false,
  scope: '',
};
const bindings = (filter: Partial<BindingFilter>) => (gate: ReadGate) =>
  listBindings(gate, { ...all, ...filter }, whole);
const members = (filter: Partial<MemberFilter>) => (gate: ReadGate) =>
  listMembers(gate, { group: '', member: '', transitive: false, ...filter }, whole);
const objects = (filter: Partial<ObjectFilter>) => (gate: ReadGate) =>
  listObjects(gate, { type: '', parent: '', object: '', ...filter }, whole);
const groups = (name: string) => (gate: ReadGate) => listGroups(gate, { name }, whole);
const roles = (name: string) => (gate: ReadGate) => {
  const filter: RoleFilter = { name, containsPermissions: [], objectType: '', system: undefined };
  return listRoles(gate, filter, whole);
};

/** Besides the operator, the auditor, and whoever is denied on one object only: they read everything. */
const CASES: readonly (readonly [string, (gate: ReadGate) => unknown, readonly string[]])[] = [
  ['the facts of the tenant', async (gate) => tenantFacts(gate), []],
  ['all roles', roles(''), []],
  ['a role that one has through a group', roles('editor'), ['user:in']],
  ['a role that is included in one that one has', roles('writer'), ['user:in']],
  ['roles by a glob that is the name of one that one has', roles('w*'), []],
  ['a role that nobody made', roles('nothing'), []],
  ['all groups', groups(''), []],
  ['a group by its name', groups('group:g'), ['user:manager']],
  ['groups by a glob', groups('group:g*'), []],
  ['all memberships', members({}), []],
  ['the members of a group', members({ group: 'group:g' }), ['user:manager']],
  ['the groups that one is in', members({ member: 'user:in' }), ['user:in']],
  ['the groups that one is in, and theirs', members({ member: 'user:in', transitive: true }), ['user:in']],
  ['whether one is in a group', members({ group: 'group:h', member: 'user:in' }), ['user:in']],
  ['whether somebody is in a group', members({ group: 'group:g', member: 'user:x' }), ['user:manager']],
  ['all bindings', bindings({}), []],
  ['the bindings of a role', bindings({ role: 'auditor' }), []],
  ["one's own bindings", bindings({ subject: 'user:in' }), ['user:in']],
  ["one's own bindings, through groups", bindings({ subject: 'user:in', throughGroups: true }), ['user:in']],
  ['the bindings of a group', bindings({ subject: 'group:g' }), []],
  ['the bindings on an object', bindings({ object: 'doc:1' }), ['user:owner', 'user:above']],
  ['what reaches an object', bindings({ object: 'doc:1', inherited: true }), ['user:owner', 'user:above']],
  ['the bindings on the scope of an object', bindings({ scope: 'doc:1' }), ['user:owner', 'user:above']],
  ['the bindings on the parent', bindings({ object: 'folder:1' }), ['user:above']],
  ['the bindings on a type', bindings({ scope: 'doc:*' }), []],
  ['the bindings on the tenant', bindings({ scope: '*' }), []],
  ['the bindings on a group', bindings({ object: 'group:g' }), ['user:manager']],
  ['all objects', objects({}), []],
  ['the objects of a type', objects({ type: 'doc' }), []],
  ['one object', objects({ object: 'doc:1' }), ['user:owner', 'user:above']],
  ['the children of an object', objects({ parent: 'folder:1' }), ['user:above']],
];

const READERS = [
  'user:owner',
  'user:above',
  'user:manager',
  'user:past',
  'user:in',
  'user:refused',
  'user:nobody',
] as const;

describe('a reader', () => {
  test.each(CASES)(
    'of %s is an operator, has read_policy there or on the tenant, or asks about themself',
    async (_, read, also) => {
      for (const subject of ['operator', 'user:auditor', 'user:denied', ...also]) {
        await expect(Promise.resolve(read(gateFor(snapshot, subject))), subject).resolves.toBeDefined();
      }
      for (const subject of READERS.filter((reader) => !also.includes(reader))) {
        const refusal = expect(
          Promise.resolve().then(() => read(gateFor(snapshot, subject))),
          subject,
        );
        await refusal.rejects.toMatchObject({ code: 'NOT_PERMITTED', metadata: { action: 'read_policy', subject } });
      }
    },
  );

  test('is told which action is missing, and where', async () => {
    const gate = gateFor(snapshot, 'user:nobody');
    await expect(bindings({ object: 'doc:1' })(gate)).rejects.toMatchObject({
      message: '"user:nobody" may not read this: it takes the action "read_policy" on "doc:1" or the tenant',
      metadata: { action: 'read_policy', object: 'doc:1' },
    });
    await expect(groups('')(gate)).rejects.toMatchObject({
      message: '"user:nobody" may not read this: it takes the action "read_policy" on the tenant',
      metadata: { action: 'read_policy', object: '' },
    });
  });

  test('keeps a right on an object where a condition on the tenant cannot be evaluated, and is told so otherwise', async () => {
    const conditional = bind('user:owner', 'auditor', '*', { condition: 'context.vip' });
    const gate = gateFor(snapshotOf([conditional], snapshot), 'user:owner');
    await expect(bindings({ object: 'doc:1' })(gate)).resolves.toBeDefined();
    await expect(bindings({})(gate)).rejects.toMatchObject({ code: 'CONDITION_FAILED' });
  });

  test('of the tenant needs nothing on an object, whatever is denied or cannot be said there', async () => {
    const conditional = bind('user:auditor', 'auditor', 'doc:1', { effect: 'deny', condition: 'context.vip' });
    const gate = gateFor(snapshotOf([conditional], snapshot), 'user:auditor');
    await expect(bindings({ object: 'doc:1' })(gate)).resolves.toBeDefined();
  });

  test('is asked about as if the tenant enforced, whatever its mode', async () => {
    const gate = gateFor(snapshotOf([{ kind: 'settings', mode: 'off' }], snapshot), 'user:nobody');
    await expect(roles('')(gate)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  });
});
