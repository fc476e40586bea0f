/**
 * A dump of permissions given one by one, as `pulpcore-manager dump-permissions`
 * writes it, with users and groups beside it. Called by guardian.ts. It says what
 * the dump says; what a permission is called in the graph is guardian-names.ts's affair.
 */
import type { Source } from './importer.ts';
import {
  entriesOf,
  expectOnly,
  type Field,
  fieldOf,
  flagOf,
  invalid,
  itemsOf,
  optionalItemsOf,
  parseJson,
  textOf,
} from './input.ts';

/** Permissions of one user or group, on one object or on models. */
export interface Holding {
  /** "user:alice" or "group:ops"; perhaps no legal name. */
  readonly holder: string;
  /** As the dump has it: "app.model:pk" or a URL; empty for permissions on models. */
  readonly object: string;
  /** As "app_label.codename". */
  readonly permissions: readonly string[];
  /** Where the dump says so. */
  readonly place: string;
}

export interface DumpUser {
  readonly superuser: boolean;
  readonly active: boolean;
}

export interface Dump {
  /** By "user:<name>"; everyone whom the dump names. */
  readonly users: ReadonlyMap<string, DumpUser>;
  /** By "group:<name>", with members as "user:<name>"; every group that the dump names. */
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>;
  readonly holdings: readonly Holding[];
  /** "app_label.codename" to "app_label.model", where the dump says so. */
  readonly contentTypes: ReadonlyMap<string, string>;
}

const parts = {
  user_model_permissions: { prefix: 'user', name: 'username', onObject: false },
  group_model_permissions: { prefix: 'group', name: 'groupname', onObject: false },
  user_object_permissions: { prefix: 'user', name: 'username', onObject: true },
  group_object_permissions: { prefix: 'group', name: 'groupname', onObject: true },
} as const;

/** Reads dumps that belong together. @throws PosternError INVALID_REQUEST */
export function parseDump(sources: readonly Source[]): Dump {
  const users = new Map<string, DumpUser>();
  const groups = new Map<string, Set<string>>();
  const holdings: Holding[] = [];
  const contentTypes = new Map<string, string>();
  const roots = sources.map(parseJson);
  for (const root of roots) {
    expectOnly(root, ['users', 'groups', 'content_types', ...Object.keys(parts)]);
    for (const item of optionalItemsOf(fieldOf(root, 'users'))) addUser(item, users);
    for (const item of optionalItemsOf(fieldOf(root, 'groups'))) addGroup(item, groups);
    const types = fieldOf(root, 'content_types');
    for (const [permission, type] of types.value === undefined ? [] : entriesOf(types)) {
      contentTypes.set(permission, textOf(type));
    }
    for (const [part, shape] of Object.entries(parts)) {
      for (const item of optionalItemsOf(fieldOf(root, part))) holdings.push(toHolding(item, shape));
    }
  }
  for (const holder of [
    ...holdings.map((holding) => holding.holder),
    ...[...groups.values()].flatMap((members) => [...members]),
  ]) {
    if (holder.startsWith('group:')) groups.set(holder, groups.get(holder) ?? new Set());
    else users.set(holder, users.get(holder) ?? { superuser: false, active: true });
  }
  return { users, groups, holdings, contentTypes };
}

function addUser(item: Field, users: Map<string, DumpUser>): void {
  expectOnly(item, ['username', 'is_superuser', 'is_active']);
  const user = `user:${textOf(fieldOf(item, 'username'))}`;
  if (users.has(user)) throw invalid(item.place, `names ${user} a second time; remove one`);
  const superuser = flagOf(fieldOf(item, 'is_superuser'), false);
  users.set(user, { superuser, active: flagOf(fieldOf(item, 'is_active'), true) });
}

function addGroup(item: Field, groups: Map<string, Set<string>>): void {
  expectOnly(item, ['name', 'members']);
  const group = `group:${textOf(fieldOf(item, 'name'))}`;
  if (groups.has(group)) throw invalid(item.place, `names ${group} a second time; remove one`);
  groups.set(group, new Set(optionalItemsOf(fieldOf(item, 'members')).map((member) => `user:${textOf(member)}`)));
}

function toHolding(item: Field, { prefix, name, onObject }: (typeof parts)[keyof typeof parts]): Holding {
  expectOnly(item, onObject ? [name, 'object', 'permissions'] : [name, 'permissions']);
  return {
    holder: `${prefix}:${textOf(fieldOf(item, name))}`,
    object: onObject ? textOf(fieldOf(item, 'object')) : '',
    permissions: itemsOf(fieldOf(item, 'permissions')).map(textOf),
    place: item.place,
  };
}
