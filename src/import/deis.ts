/**
 * Deis to a graph: administrators are bound on the tenant, owners and
 * collaborators on their app, and what belongs to an app is an object below it.
 * Called by the command line. Nothing is granted to a user who cannot log in;
 * that, and permissions on what is gone, is listed as left over.
 */
import type { BindingRecord, EntityRecord } from '../model/entity.ts';
import { type Scope, toScopeInput } from '../model/scope.ts';
import { anonymousUser, type DeisGrant, type DeisSystem, parseDeis } from './deis-input.ts';
import { cluster, createDeisRules } from './deis-rules.ts';
import type { Import, Leftover, Source } from './importer.ts';
import { leftoversInOrder, recordsInOrder } from './in-order.ts';

const users = 'group:users';
const admins = 'group:admins';
const onApps = ['app:*', 'build:*', 'config:*', 'release:*', 'domain:*', 'tls:*', 'appsettings:*'];

const fixed: readonly EntityRecord[] = [
  {
    kind: 'role',
    name: 'admin',
    description: 'Everything but the certificates and SSH keys of others.',
    permissions: ['*'],
    except: ['certificate:*', 'key:*'],
  },
  { kind: 'role', name: 'owner', permissions: onApps, grantAction: 'transfer' },
  {
    kind: 'role',
    name: 'collaborator',
    description: 'Everything on an app but deleting and letting others in.',
    permissions: onApps,
    except: ['*:delete', 'app:transfer', 'app:perms:create', 'app:perms:delete'],
    grantAction: 'perms:create',
  },
  { kind: 'role', name: 'user', permissions: ['cluster:create_app'] },
  {
    kind: 'role',
    name: 'account_self',
    permissions: ['read', 'set_password', 'regenerate_token', 'delete', 'leave_app'].map((it) => `account:${it}`),
  },
  { kind: 'role', name: 'keeper', permissions: ['certificate:read', 'certificate:delete', 'key:read', 'key:delete'] },
  { kind: 'group', group: users, description: 'Everyone who can log in.' },
  { kind: 'group', group: admins, description: 'Administrators of the cluster.' },
  { kind: 'object', object: cluster },
  bind(users, 'user', { kind: 'object', object: cluster }),
  bind(admins, 'admin', { kind: 'tenant' }),
];

/**
 * Reads dumps of the models of auth, api, guardian and contenttypes; several files are one dump.
 * @throws PosternError INVALID_REQUEST
 */
export function importDeis(sources: readonly Source[]): Import {
  const system = parseDeis(sources);
  const active = new Set(system.users.filter((user) => user.active).map(({ name }) => name));
  const records = [
    ...fixed,
    ...system.users.filter((user) => user.active).flatMap(({ name, superuser }) => recordsOfUser(name, superuser)),
    ...system.apps.map(({ name }): EntityRecord => ({ kind: 'object', object: `app:${name}` })),
    ...system.parts.map(
      ({ object, app }): EntityRecord => ({ kind: 'object', object, parents: [{ object: `app:${app}` }] }),
    ),
    ...system.apps.filter(({ owner }) => active.has(owner)).map(({ name, owner }) => bindOnApp(owner, 'owner', name)),
    ...system.grants.flatMap(({ user, app, codename }) =>
      app !== undefined && codename === 'use_app' && active.has(user) ? [bindOnApp(user, 'collaborator', app)] : [],
    ),
    ...system.possessions
      .filter(({ owner }) => active.has(owner))
      .flatMap(({ object, owner }): EntityRecord[] => [
        { kind: 'object', object },
        bind(`user:${owner}`, 'keeper', { kind: 'object', object }),
      ]),
  ];
  return {
    records: recordsInOrder(records),
    rules: createDeisRules(system),
    leftovers: leftoversInOrder([
      ...inactiveUsers(system),
      ...system.grants.flatMap(leftoverOfGrant),
      ...ofGroups(system),
    ]),
  };
}

function recordsOfUser(name: string, superuser: boolean): readonly EntityRecord[] {
  const subject = `user:${name}`;
  const own: Scope = { kind: 'object', object: `account:${name}` };
  return [
    { kind: 'member', group: users, member: subject },
    ...(superuser ? [{ kind: 'member' as const, group: admins, member: subject }] : []),
    { kind: 'object', object: own.object },
    bind(subject, 'account_self', own),
  ];
}

function inactiveUsers(system: DeisSystem): readonly Leftover[] {
  return system.users.flatMap(({ name, active, superuser }) => {
    if (active) return [];
    const apps = system.apps.filter(({ owner }) => owner === name).length;
    const grants = system.grants.filter(({ user }) => user === name).length;
    // The permission library makes this one; without anything of its own it is no loss.
    if (name === anonymousUser && apps + grants === 0 && !superuser) return [];
    const what = `the account${superuser ? ' of an administrator' : ''}; apps owned: ${apps}, permissions: ${grants}`;
    return [{ subject: `user:${name}`, what, why: 'it cannot log in; import again once it can' }];
  });
}

function leftoverOfGrant({ user, app, codename, on }: DeisGrant): readonly Leftover[] {
  if (app !== undefined && codename === 'use_app') return [];
  const why = codename === 'use_app' ? 'there is no such app' : 'Deis decides by use_app on apps alone';
  return [{ subject: `user:${user}`, what: `${codename} on ${on}`, why }];
}

function ofGroups({ groupGrants }: DeisSystem): readonly Leftover[] {
  if (groupGrants === 0) return [];
  const why = 'Deis has no groups; what was written past it is to be bound by hand';
  return [{ subject: '', what: `${groupGrants} object permissions of groups`, why }];
}

function bindOnApp(user: string, role: string, app: string): BindingRecord {
  return bind(`user:${user}`, role, { kind: 'object', object: `app:${app}` });
}

/** An id may hold a star; as plain text that would be a pattern. */
function bind(subject: string, role: string, scope: Scope): BindingRecord {
  return { kind: 'binding', subject, role, scope: toScopeInput(scope) };
}
