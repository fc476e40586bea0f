/**
 * The roles that sets of permissions are matched to, in the order in which they
 * are tried: from a policy file's roles, or from JSON in Django's own names.
 * Called by guardian.ts. A role is matched by all of its permissions or not at
 * all, so it must list them one by one.
 */
import type { RoleRecord } from '../model/entity.ts';
import { messageOf } from '../model/errors.ts';
import { problemOfRoleName, quote } from '../model/names.ts';
import { type PermissionInput, parsePermission } from '../model/permission.ts';
import { formatProblems } from '../policy-file/format-problems.ts';
import { parsePolicy } from '../policy-file/parse.ts';
import type { GuardianNames } from './guardian-names.ts';
import type { Source } from './importer.ts';
import {
  expectOnly,
  type Field,
  fieldOf,
  invalid,
  itemsOf,
  optionalItemsOf,
  optionalTextOf,
  parseJson,
  textOf,
} from './input.ts';

export interface MatchRole {
  readonly record: RoleRecord;
  /** What must be held, all of it: "type:action". Never empty. */
  readonly match: ReadonlySet<string>;
}

/** In order of priority. @throws PosternError INVALID_REQUEST */
export function parseMatchRoles(source: Source, names: GuardianNames): readonly MatchRole[] {
  const listed = parseListed(source);
  return listed === undefined ? rolesOfPolicy(source) : rolesOfJson(listed, names);
}

/** The JSON form; undefined for a policy file, which may be written in JSON, too. */
function parseListed(source: Source): Field | undefined {
  if (!/^\s*[[{]/.test(source.text)) return undefined;
  const root = parseJson(source);
  return Array.isArray(root.value) || fieldOf(root, 'version').value === undefined ? root : undefined;
}

function rolesOfJson(root: Field, names: GuardianNames): readonly MatchRole[] {
  const isList = Array.isArray(root.value);
  if (!isList) expectOnly(root, ['roles']);
  const seen = new Set<string>();
  return itemsOf(isList ? root : fieldOf(root, 'roles')).map((item) => {
    expectOnly(item, ['name', 'description', 'permissions', 'match']);
    const name = textOf(fieldOf(item, 'name'));
    const problem = seen.has(name) ? 'is there twice; remove one' : problemOfRoleName(name);
    if (problem !== undefined) throw invalid(item.place, `names role ${quote(name)}, which ${problem}`);
    seen.add(name);
    const permissions = itemsOf(fieldOf(item, 'permissions')).map((field) => toPermissionText(field, names));
    const match = optionalItemsOf(fieldOf(item, 'match')).map((field) => toPermissionText(field, names));
    const description = optionalTextOf(fieldOf(item, 'description'));
    const record: RoleRecord = {
      kind: 'role',
      name,
      ...(description === undefined ? {} : { description }),
      permissions,
    };
    return { record, match: toMatch(match.length > 0 ? match : permissions, item.place) };
  });
}

/** "app_label.codename", or "type:action" as a policy has it. */
function toPermissionText(field: Field, names: GuardianNames): string {
  const text = textOf(field);
  if (!text.includes(':') && text !== '*') {
    const { type, action } = names.permission(text, field.place);
    return `${type}:${action}`;
  }
  try {
    parsePermission(text);
    return text;
  } catch (error) {
    throw invalid(field.place, `is refused: ${messageOf(error)}`);
  }
}

function rolesOfPolicy({ name, text }: Source): readonly MatchRole[] {
  const at = (path: string) => `${name}: ${path}`;
  const policy = parsePolicy(text, name);
  if (!policy.ok) throw invalid(`${name}:`, `is not a valid policy\n${formatProblems(policy, { colour: false })}`);
  const records = new Map<string, RoleRecord>();
  for (const record of policy.records) if (record.kind === 'role') records.set(record.name, record);
  const permissionsOf = (role: RoleRecord): readonly PermissionInput[] => {
    if (role.except !== undefined) throw invalid(at(`roles.${role.name}.except`), 'cannot be matched; list the rest');
    const included = (role.includes ?? []).map((other) => records.get(other) as RoleRecord);
    return [...role.permissions, ...included.flatMap(permissionsOf)];
  };
  return [...records.values()].map((record) => {
    return { record, match: toMatch(permissionsOf(record), at(`roles.${record.name}`)) };
  });
}

function toMatch(permissions: readonly PermissionInput[], place: string): ReadonlySet<string> {
  if (permissions.length === 0) throw invalid(place, 'has no permissions, so that everybody would match it; remove it');
  return new Set(
    permissions.map((permission) => {
      if (typeof permission === 'string' && !permission.includes('*')) return permission;
      const written = typeof permission === 'string' ? permission : JSON.stringify(permission);
      const advice = 'list permissions one by one, or say in "match" (JSON) what must be held';
      throw invalid(place, `has ${quote(written)}, which nobody can hold as a whole; ${advice}`);
    }),
  );
}
