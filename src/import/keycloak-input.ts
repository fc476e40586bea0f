/**
 * A Keycloak realm export: the realm file, and the files of users that
 * `kc.sh export` may write beside it. Called by keycloak.ts. What it returns is
 * resolved: every role and group that is named exists.
 */
import { type Edge, findCycles } from '../graph/validate-cycles.ts';
import { problemOfName, problemOfObject, problemOfRoleName, problemOfSubject, quote } from '../model/names.ts';
import { isAbsent, nameOf, optionalEntriesOf, refuseTwice } from './documents.ts';
import type { Source } from './importer.ts';
import {
  type Field,
  fieldOf,
  flagOf,
  invalid,
  itemsOf,
  optionalItemsOf,
  optionalTextOf,
  parseJson,
  textOf,
} from './input.ts';

/** A role; of the realm where the client is empty. */
export interface KeycloakRole {
  readonly client: string;
  readonly name: string;
  readonly description: string | undefined;
  /** Keys of the roles that it is composed of; see roleKey. */
  readonly composites: readonly string[];
}

export interface KeycloakGroup {
  /** "staff/dev": the path without the slash in front. */
  readonly path: string;
  readonly parent: string | undefined;
  /** Keys of roles. */
  readonly roles: readonly string[];
}

export interface KeycloakUser {
  /** "user:alice", or "service:<client>" for the account of a client. */
  readonly subject: string;
  /** Why nobody can log in with it; undefined for an account that works. */
  readonly disabled: string | undefined;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

export interface KeycloakRealm {
  readonly name: string;
  readonly roles: ReadonlyMap<string, KeycloakRole>;
  readonly groups: ReadonlyMap<string, KeycloakGroup>;
  readonly users: readonly KeycloakUser[];
  /** Parts of the export that this import does not read, in words. */
  readonly unread: readonly { readonly what: string; readonly why: string }[];
}

/** The identity of a role. A JSON array: client ids and role names hold any separator. */
export function roleKey(client: string, name: string): string {
  return JSON.stringify([client, name]);
}

/** "gateway-user" for a role of the realm, "account:view-profile" for one of a client; no two of a realm are the same. */
export function roleName({ client, name }: Pick<KeycloakRole, 'client' | 'name'>): string {
  return client === '' ? name : `${client}:${name}`;
}

/** @throws PosternError INVALID_REQUEST */
export function parseKeycloak(sources: readonly Source[]): KeycloakRealm {
  const documents = sources.map((source) => theOneRealm(parseJson(source)));
  const realms = documents.filter((document) => fieldOf(document, 'roles').value !== undefined);
  const [realm] = realms;
  if (realm === undefined) {
    throw invalid(documents[0]?.place ?? 'the input', 'has no roles; give the realm file that kc.sh export wrote');
  }
  if (realms[1] !== undefined) throw invalid(realms[1].place, 'is a second realm; import one realm at a time');
  const name = nameOf(fieldOf(realm, 'realm'), (text) => `realm:${text}`, problemOfObject);
  for (const document of documents) {
    const own = fieldOf(document, 'realm');
    if (textOf(own) !== name) throw invalid(own.place, `is ${quote(textOf(own))}, but the roles are of ${quote(name)}`);
  }
  if (!flagOf(fieldOf(realm, 'enabled'), true)) {
    throw invalid(fieldOf(realm, 'enabled').place, 'is false: nobody can log in to this realm; enable it first');
  }
  const roles = parseRoles(fieldOf(realm, 'roles'));
  const groups = parseGroups(fieldOf(realm, 'groups'), roles);
  const accounts = serviceAccounts(realm);
  const seen = new Set<string>();
  const users = documents.flatMap((document) =>
    optionalItemsOf(fieldOf(document, 'users')).map((user) => parseUser(user, roles, groups, accounts, seen)),
  );
  return { name, roles, groups, users, unread: unreadParts(realm, documents) };
}

/** The admin console and older servers write a list of realms. */
function theOneRealm(document: Field): Field {
  if (!Array.isArray(document.value)) return document;
  const items = itemsOf(document);
  if (items.length === 1 && items[0] !== undefined) return items[0];
  throw invalid(document.place, `holds ${items.length} realms; import one realm at a time`);
}

function parseRoles(field: Field): ReadonlyMap<string, KeycloakRole> {
  const written = [
    ...optionalItemsOf(fieldOf(field, 'realm')).map((role) => ({ client: '', role })),
    ...optionalEntriesOf(fieldOf(field, 'client')).flatMap(([client, list]) =>
      itemsOf(list).map((role) => ({ client: clientName(client, list), role })),
    ),
  ];
  const roles = new Map<string, KeycloakRole>();
  const seen = new Set<string>();
  for (const { client, role } of written) {
    const at = fieldOf(role, 'name');
    const name = nameOf(at, (text) => roleName({ client, name: text }), problemOfRoleName);
    refuseTwice(seen, roleName({ client, name }), at, 'role');
    const description = optionalTextOf(fieldOf(role, 'description'));
    roles.set(roleKey(client, name), { client, name, description, composites: [] });
  }
  const composed = new Map<string, readonly Edge<Field>[]>();
  for (const { client, role } of written) {
    const key = roleKey(client, textOf(fieldOf(role, 'name')));
    const composites = fieldOf(role, 'composites');
    if (isAbsent(composites)) continue;
    const included = rolesAt(fieldOf(composites, 'realm'), fieldOf(composites, 'client'), roles);
    roles.set(key, { ...(roles.get(key) as KeycloakRole), composites: included });
    const nameAt = (of: string) => roleName(roles.get(of) as KeycloakRole);
    composed.set(
      nameAt(key),
      included.map((of) => ({ to: nameAt(of), origin: composites })),
    );
  }
  findCycles(composed, (composites, path) => {
    throw invalid(composites.place, `is a circle of roles, ${path}; take one of them out`);
  });
  return roles;
}

function clientName(client: string, list: Field): string {
  return nameOf({ ...list, value: client }, (text) => `client:${text}`, problemOfObject);
}

/** Keys of the roles that a list of realm roles and an object of client roles name. */
function rolesAt(realm: Field, client: Field, roles: ReadonlyMap<string, KeycloakRole>): readonly string[] {
  const find = (owner: string, field: Field) => {
    const key = roleKey(owner, textOf(field));
    if (roles.has(key)) return key;
    const whose = owner === '' ? 'the realm' : `the client ${quote(owner)}`;
    throw invalid(field.place, `names the role ${quote(textOf(field))}, which ${whose} does not have`);
  };
  return [
    ...optionalItemsOf(realm).map((field) => find('', field)),
    ...optionalEntriesOf(client).flatMap(([owner, list]) => itemsOf(list).map((field) => find(owner, field))),
  ];
}

function parseGroups(topLevel: Field, roles: ReadonlyMap<string, KeycloakRole>): ReadonlyMap<string, KeycloakGroup> {
  const groups = new Map<string, KeycloakGroup>();
  const lists: { readonly list: Field; readonly parent: string | undefined }[] = [
    { list: topLevel, parent: undefined },
  ];
  // The list grows while it is walked: nesting is as deep as the file likes.
  for (const { list, parent } of lists) {
    for (const group of optionalItemsOf(list)) {
      const written = fieldOf(group, 'path');
      const isPath = !isAbsent(written);
      const field = isPath ? written : fieldOf(group, 'name');
      const path = pathOf(
        nameOf(field, (text) => `group:${pathOf(text, isPath, parent)}`, problemOfGroup),
        isPath,
        parent,
      );
      if (groups.has(path)) throw invalid(field.place, `is the path of two groups, ${quote(path)}; rename one`);
      const own = rolesAt(fieldOf(group, 'realmRoles'), fieldOf(group, 'clientRoles'), roles);
      groups.set(path, { path, parent, roles: own });
      lists.push({ list: fieldOf(group, 'subGroups'), parent: path });
    }
  }
  return groups;
}

function pathOf(text: string, isPath: boolean, parent: string | undefined): string {
  if (isPath) return text.replace(/^\//, '');
  return parent === undefined ? text : `${parent}/${text}`;
}

function problemOfGroup(name: string): string | undefined {
  return name === 'group:*' ? 'is a wildcard' : problemOfName(name);
}

function parseUser(
  user: Field,
  roles: ReadonlyMap<string, KeycloakRole>,
  groups: ReadonlyMap<string, KeycloakGroup>,
  accounts: ReadonlyMap<string, string | undefined>,
  seen: Set<string>,
): KeycloakUser {
  const client = optionalTextOf(fieldOf(user, 'serviceAccountClientId'));
  const field = fieldOf(user, client === undefined ? 'username' : 'serviceAccountClientId');
  const toSubject = (text: string) => `${client === undefined ? 'user' : 'service'}:${text}`;
  const subject = toSubject(nameOf(field, toSubject, problemOfSubject));
  refuseTwice(seen, subject, field, 'account');
  const ofClient =
    client === undefined || accounts.has(client) ? accounts.get(client ?? '') : 'its client is not in the export';
  return {
    subject,
    // Absent is what Keycloak itself reads as false.
    disabled: flagOf(fieldOf(user, 'enabled'), false) ? ofClient : 'it is not enabled',
    roles: rolesAt(fieldOf(user, 'realmRoles'), fieldOf(user, 'clientRoles'), roles),
    groups: optionalItemsOf(fieldOf(user, 'groups')).map((group) => {
      const path = textOf(group).replace(/^\//, '');
      if (groups.has(path)) return path;
      throw invalid(group.place, `names the group ${quote(textOf(group))}, which the export does not have`);
    }),
  };
}

/** Client id to why its service account cannot be used, or undefined where it can. */
function serviceAccounts(realm: Field): ReadonlyMap<string, string | undefined> {
  const clients = optionalItemsOf(fieldOf(realm, 'clients'));
  return new Map(
    clients.map((client) => {
      const id = textOf(fieldOf(client, 'clientId'));
      if (!flagOf(fieldOf(client, 'enabled'), true)) return [id, 'its client is disabled'];
      const used = flagOf(fieldOf(client, 'serviceAccountsEnabled'), false);
      return [id, used ? undefined : 'its client has no service account enabled'];
    }),
  );
}

function unreadParts(realm: Field, documents: readonly Field[]): KeycloakRealm['unread'] {
  const federated = documents.flatMap((document) => optionalItemsOf(fieldOf(document, 'federatedUsers')));
  const defaults = optionalItemsOf(fieldOf(realm, 'defaultGroups')).map(textOf);
  const withPolicies = optionalItemsOf(fieldOf(realm, 'clients')).filter((client) => {
    const settings = fieldOf(client, 'authorizationSettings');
    return !isAbsent(settings) && optionalItemsOf(fieldOf(settings, 'policies')).length > 0;
  });
  return [
    ...(documents.some((document) => fieldOf(document, 'users').value !== undefined)
      ? []
      : [{ what: 'all users', why: 'the export has none; export with kc.sh export --users same_file' }]),
    ...(federated.length === 0
      ? []
      : [{ what: `${federated.length} federated users`, why: 'their accounts are kept elsewhere; bind them by hand' }]),
    ...defaults.map((path) => ({
      what: `default group ${quote(path)}`,
      why: 'it is for users who come later; existing members are imported',
    })),
    ...withPolicies.map((client) => ({
      what: `authorization policies of the client ${quote(textOf(fieldOf(client, 'clientId')))}`,
      why: 'only roles and groups are imported',
    })),
  ];
}
