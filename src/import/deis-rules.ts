/**
 * How a Deis controller itself decides: administrators everything, owners
 * everything on their app, holders of use_app everything there but DELETE and
 * sharing, and what belongs to an app is decided on the app. Called by deis.ts;
 * compared with the imported graph, so it must never look at the records.
 */
import { idOf, typeOf } from '../model/names.ts';
import { type DeisSystem, partTypes } from './deis-input.ts';
import type { OldQuestion, OldRules } from './importer.ts';
import { textsInOrder } from './in-order.ts';

/** Who may: whoever may use the app; its owner; an administrator; any user; oneself; the owner of a possession. */
type Rule = 'use' | 'own' | 'administer' | 'any' | 'self' | 'possess';

const everyPart: Readonly<Record<string, Rule>> = { read: 'use', create: 'use' };

/** By type of object and action. What goes by the verb DELETE, and who else may work on an app, is the owner's. */
const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  app: {
    read: 'use',
    logs: 'use',
    run: 'use',
    push: 'use',
    config: 'use',
    domains: 'use',
    scale: 'use',
    'perms:list': 'use',
    'perms:create': 'own',
    'perms:delete': 'own',
    transfer: 'own',
    delete: 'own',
  },
  ...Object.fromEntries(partTypes.map((type) => [type, everyPart])),
  release: { ...everyPart, rollback: 'use' },
  domain: { ...everyPart, delete: 'own' },
  cluster: {
    create_app: 'any',
    'users:list': 'administer',
    'admins:list': 'administer',
    'admins:create': 'administer',
    'admins:delete': 'administer',
  },
  account: { read: 'self', set_password: 'self', regenerate_token: 'self', delete: 'self', leave_app: 'self' },
  certificate: { read: 'possess', delete: 'possess' },
  key: { read: 'possess', delete: 'possess' },
};

export const cluster = 'cluster:main';

export function createDeisRules(system: DeisSystem): OldRules {
  const users = new Map(system.users.map((user) => [user.name, user]));
  const ownerOf = new Map(system.apps.map(({ name, owner }) => [name, owner]));
  const appOf = new Map([
    ...system.apps.map(({ name }) => [`app:${name}`, name] as const),
    ...system.parts.map(({ object, app }) => [object, app] as const),
  ]);
  const possessorOf = new Map(system.possessions.map(({ object, owner }) => [object, owner]));
  const usersOf = new Map<string, Set<string>>();
  for (const { app, codename, user } of system.grants) {
    if (app === undefined || codename !== 'use_app') continue;
    usersOf.set(app, (usersOf.get(app) ?? new Set()).add(user));
  }
  const objects = textsInOrder([
    cluster,
    ...appOf.keys(),
    ...possessorOf.keys(),
    ...system.users.map(({ name }) => `account:${name}`),
  ]);

  return {
    subjects: textsInOrder(system.users.map(({ name }) => `user:${name}`)),
    questions: objects.flatMap((object) =>
      Object.keys(rules[typeOf(object)] ?? {}).map((action) => ({ action, object })),
    ),
    allows(subject: string, { action, object }: OldQuestion): boolean {
      const user = typeOf(subject) === 'user' ? users.get(idOf(subject)) : undefined;
      const rule = rules[typeOf(object)]?.[action];
      if (user === undefined || !user.active || rule === undefined) return false;
      if (rule === 'possess') return possessorOf.get(object) === user.name;
      if (user.superuser || rule === 'any') return true;
      if (rule === 'self') return idOf(object) === user.name;
      const app = appOf.get(object);
      if (rule === 'administer' || app === undefined) return false;
      return ownerOf.get(app) === user.name || (rule === 'use' && (usersOf.get(app)?.has(user.name) ?? false));
    },
  };
}
