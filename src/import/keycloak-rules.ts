/**
 * How Keycloak itself finds the roles of an account: those it was given, those
 * of its groups and of the groups above them, and all that these are composed
 * of. Called by keycloak.ts; compared with the imported graph, so it must never
 * look at the records.
 */
import { idOf, typeOf } from '../model/names.ts';
import type { OldQuestion, OldRules } from './importer.ts';
import { textsInOrder } from './in-order.ts';
import { type KeycloakRealm, type KeycloakUser, roleKey } from './keycloak-input.ts';

/** Keys of these roles and of all that they are composed of. */
export function expandRoles(realm: KeycloakRealm, keys: Iterable<string>): ReadonlySet<string> {
  const found = new Set(keys);
  // A set that grows while it is walked is walked to its end.
  for (const key of found) for (const part of realm.roles.get(key)?.composites ?? []) found.add(part);
  return found;
}

/** A question is "has this account the role?": the role is the action, its realm or client the object. */
export function createKeycloakRules(realm: KeycloakRealm): OldRules {
  const users = new Map(realm.users.map((user) => [user.subject, user]));
  const known = new Map<string, ReadonlySet<string>>();

  function rolesOf(user: KeycloakUser): ReadonlySet<string> {
    const given = [...user.roles];
    for (const path of user.groups) {
      let group = realm.groups.get(path);
      while (group !== undefined) {
        given.push(...group.roles);
        group = group.parent === undefined ? undefined : realm.groups.get(group.parent);
      }
    }
    return expandRoles(realm, given);
  }

  return {
    subjects: textsInOrder(users.keys()),
    questions: [...realm.roles.values()].map(({ client, name }) => ({
      action: name,
      object: client === '' ? `realm:${realm.name}` : `client:${client}`,
    })),
    allows(subject: string, { action, object }: OldQuestion): boolean {
      const user = users.get(subject);
      if (user === undefined || user.disabled !== undefined) return false;
      const roles = known.get(subject) ?? rolesOf(user);
      known.set(subject, roles);
      if (object === `realm:${realm.name}`) return roles.has(roleKey('', action));
      return typeOf(object) === 'client' && roles.has(roleKey(idOf(object), action));
    },
  };
}
