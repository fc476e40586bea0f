/**
 * Random Keycloak realms: few roles, clients, nested groups and accounts, so
 * that most meet, and among them names with separators and stars. Called by
 * keycloak.test.ts.
 */
import fc from 'fast-check';

// Roles are composed of later ones only: a circle is refused.
const names = ['a', 'b', 'c:d', 'constructor', 'e f'] as const;
const clients = ['c', 'x*', 'xy'] as const;
const all = [
  ...names.map((name) => ['', name] as const),
  ...clients.flatMap((c) => [[c, 'a'] as const, [c, 'z'] as const]),
];
const roleIndexes = (from: number) => fc.uniqueArray(fc.integer({ min: from, max: all.length - 1 }), { maxLength: 3 });
const toLists = (indexes: readonly number[]) => ({
  realm: indexes.flatMap((i) => (all[i]?.[0] === '' ? [all[i]?.[1]] : [])),
  client: Object.fromEntries(
    clients.map((client) => [client, indexes.flatMap((i) => (all[i]?.[0] === client ? [all[i]?.[1]] : []))]),
  ),
});
const mapping = (indexes: readonly number[]) => {
  const { realm: realmRoles, client: clientRoles } = toLists(indexes);
  return { realmRoles, clientRoles };
};
const paths = ['/g', '/g/h', '/g/h/i', '/j'];
/** The JSON of a realm, and which of its roles are to become groups. */
export const randomRealm = fc
  .record({
    composites: fc.tuple(...all.map((_, i) => (i + 1 < all.length ? roleIndexes(i + 1) : fc.constant([])))),
    groups: fc.tuple(...paths.map(() => roleIndexes(0))),
    users: fc.array(
      fc.record({
        roles: roleIndexes(0),
        groups: fc.uniqueArray(fc.constantFrom(...paths), { maxLength: 2 }),
        enabled: fc.oneof({ arbitrary: fc.constant(true), weight: 4 }, { arbitrary: fc.constant(false), weight: 1 }),
      }),
      { maxLength: 5, size: 'max' },
    ),
    groupRoles: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
  })
  .map(({ composites, groups, users, groupRoles }) => {
    const roleOf = (i: number) => ({ name: all[i]?.[1], composites: toLists(composites[i] ?? []) });
    const group = (i: number, subGroups: readonly object[]) => ({
      name: paths[i]?.split('/').at(-1),
      ...mapping(groups[i] ?? []),
      subGroups,
    });
    return {
      groupRoles: new Map(groupRoles.map((role) => [role, `holders of ${role}`])),
      json: {
        realm: 'r',
        roles: {
          realm: names.map((_, i) => roleOf(i)),
          client: Object.fromEntries(
            clients.map((client) => [client, all.flatMap(([owner], i) => (owner === client ? [roleOf(i)] : []))]),
          ),
        },
        groups: [group(0, [group(1, [group(2, [])])]), group(3, [])],
        users: users.map(({ roles, ...user }, i) => ({ username: `u${i}`, ...user, ...mapping(roles) })),
      },
    };
  });
