/**
 * A Keycloak realm to a graph: roles with what they are composed of, groups
 * with the groups above them, accounts with both. What a role permits is known
 * to applications alone, so that what is granted is the fact of having it: the
 * role's name is an action on the object that stands for its realm or client.
 * Called by the command line. Nothing is granted to an account that is disabled.
 */
import type { BindingRecord, EntityRecord, RoleRecord } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { maxNoteBytes } from '../model/limits.ts';
import { problemOfName, quote } from '../model/names.ts';
import { toScopeInput } from '../model/scope.ts';
import type { Import, Leftover, Source } from './importer.ts';
import { leftoversInOrder, recordsInOrder, textsInOrder } from './in-order.ts';
import { type KeycloakRealm, type KeycloakRole, parseKeycloak, roleKey, roleName } from './keycloak-input.ts';
import { createKeycloakRules, expandRoles } from './keycloak-rules.ts';

export interface KeycloakOptions {
  /** Realm role to the name of a group whose members are to be all who have the role, as in "gateway-user" to "Gateway Users". */
  readonly groupRoles?: ReadonlyMap<string, string>;
}

/** One who is given roles: an account or a group. */
interface Holder {
  readonly subject: string;
  /** Keys of roles. */
  readonly roles: readonly string[];
}

/**
 * Reads the file of a realm, and files of its users beside it.
 * @throws PosternError INVALID_REQUEST
 */
export function importKeycloak(sources: readonly Source[], options: KeycloakOptions = {}): Import {
  const realm = parseKeycloak(sources);
  const groupOf = groupsOfRoles(realm, options.groupRoles ?? new Map());
  const accounts = realm.users.filter((user) => user.disabled === undefined);
  const holders: readonly Holder[] = [
    ...accounts,
    ...[...realm.groups.values()].map(({ path, roles }) => ({ subject: `group:${path}`, roles })),
  ];
  const records = [
    ...[...realm.roles.values()].flatMap((role) => recordsOfRole(realm, role)),
    ...[...realm.groups.values()].flatMap(({ path, parent }): EntityRecord[] => [
      { kind: 'group', group: `group:${path}`, description: `Group /${path} of the realm ${realm.name}.` },
      ...(parent === undefined ? [] : [member(`group:${parent}`, `group:${path}`)]),
    ]),
    ...accounts.flatMap(({ subject, groups }) => groups.map((path) => member(`group:${path}`, subject))),
    ...holders.flatMap((holder) => recordsOfHolder(realm, holder, groupOf)),
    ...[...groupOf].flatMap(([key, group]): EntityRecord[] => [
      { kind: 'group', group, description: `Whoever has the realm role ${nameOfKey(realm, key)}.` },
      bind(group, nameOfKey(realm, key)),
    ]),
  ];
  return {
    records: recordsInOrder(records),
    rules: createKeycloakRules(realm),
    leftovers: leftoversInOrder([...disabledAccounts(realm), ...inexpressibleRoles(realm), ...unreadParts(realm)]),
  };
}

/** Role key to group. One role each: a group of two would give each role's holders the other. */
function groupsOfRoles(realm: KeycloakRealm, wanted: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const [role, name] of wanted) {
    const group = `group:${name}`;
    const problem = realm.roles.has(roleKey('', role))
      ? problemOfMappedGroup(realm, name, groups)
      : `names the role ${quote(role)}, which the realm does not have`;
    if (problem !== undefined) {
      throw new PosternError('INVALID_REQUEST', `--group-role ${quote(`${role}=${name}`)} ${problem}`, {
        field: 'group-role',
      });
    }
    groups.set(roleKey('', role), group);
  }
  return groups;
}

function problemOfMappedGroup(
  realm: KeycloakRealm,
  name: string,
  groups: ReadonlyMap<string, string>,
): string | undefined {
  const group = `group:${name}`;
  if (realm.groups.has(name)) return 'names a group that the realm has already, whose members differ; use another name';
  if ([...groups.values()].includes(group)) return 'gives a second role to one group; use one group for each role';
  const problem = group === 'group:*' ? 'is a wildcard' : problemOfName(group);
  return problem === undefined ? undefined : `cannot make ${quote(group)}: it ${problem}`;
}

function recordsOfRole(realm: KeycloakRealm, role: KeycloakRole): readonly EntityRecord[] {
  const object = role.client === '' ? `realm:${realm.name}` : `client:${role.client}`;
  const includes = textsInOrder(role.composites.map((key) => nameOfKey(realm, key)));
  const record: RoleRecord = {
    kind: 'role',
    name: roleName(role),
    ...(isDescription(role.description) ? { description: role.description } : {}),
    permissions: isExpressible(role)
      ? [{ objects: toScopeInput({ kind: 'object', object }), actions: [role.name] }]
      : [],
    ...(includes.length === 0 ? {} : { includes }),
  };
  return [{ kind: 'object', object }, record];
}

/** In an action a star stands for anything: such a role would be all roles. */
function isExpressible({ name }: KeycloakRole): boolean {
  return !name.includes('*');
}

/** Built-in roles are described by the key of a translation. */
function isDescription(text: string | undefined): text is string {
  return text !== undefined && !text.startsWith('${') && text.isWellFormed() && text.length * 3 <= maxNoteBytes;
}

function recordsOfHolder(
  realm: KeycloakRealm,
  { subject, roles }: Holder,
  groupOf: ReadonlyMap<string, string>,
): readonly EntityRecord[] {
  const held = expandRoles(realm, roles);
  return [
    ...roles.filter((key) => !groupOf.has(key)).map((key) => bind(subject, nameOfKey(realm, key))),
    ...[...groupOf].flatMap(([key, group]) => (held.has(key) ? [member(group, subject)] : [])),
  ];
}

function disabledAccounts(realm: KeycloakRealm): readonly Leftover[] {
  return realm.users.flatMap(({ subject, disabled, roles, groups }) => {
    const what = `the account; roles: ${roles.length}, groups: ${groups.length}`;
    return disabled === undefined ? [] : [{ subject, what, why: `${disabled}; import again once it can be used` }];
  });
}

function inexpressibleRoles(realm: KeycloakRealm): readonly Leftover[] {
  return [...realm.roles.values()]
    .filter((role) => !isExpressible(role))
    .map((role) => ({
      subject: '',
      what: `having the role ${quote(roleName(role))} itself`,
      why: 'a star in an action stands for anything; what the role is composed of is imported',
    }));
}

function unreadParts(realm: KeycloakRealm): readonly Leftover[] {
  return realm.unread.map(({ what, why }) => ({ subject: '', what, why }));
}

function nameOfKey(realm: KeycloakRealm, key: string): string {
  // Keys are made of roles that were found; see rolesAt in keycloak-input.ts.
  return roleName(realm.roles.get(key) as KeycloakRole);
}

function member(group: string, subject: string): EntityRecord {
  return { kind: 'member', group, member: subject };
}

function bind(subject: string, role: string): BindingRecord {
  return { kind: 'binding', subject, role, scope: '*' };
}
