/**
 * Permissions that Django guardian keeps one by one, as roles: the set that
 * somebody holds on one object (or on models) is matched to roles in order of
 * priority; a role is given where all of it is held, and what it holds is
 * consumed. What no role takes is left over, and never becomes a role of its own
 * unless that is asked for. Called by `postern import guardian`.
 */
import type { BindingRecord, EntityRecord, RoleRecord } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { problemOfObject, problemOfSubject, quote } from '../model/names.ts';
import { type Scope, tenantScope, toScopeInput } from '../model/scope.ts';
import { type Dump, parseDump } from './guardian-dump.ts';
import { createGuardianNames, type GuardianNames } from './guardian-names.ts';
import { type MatchRole, parseMatchRoles } from './guardian-roles.ts';
import { createGuardianRules, type Held } from './guardian-rules.ts';
import type { Import, Leftover, Source } from './importer.ts';
import { leftoversInOrder, recordsInOrder } from './in-order.ts';

export interface GuardianOptions {
  /** Roles in order of priority; see guardian-roles.ts. */
  readonly roles?: Source;
  /** Gives each permission that no role takes a role of its own. */
  readonly rolePerPermission?: boolean;
  /** Whether the old policies took a permission on a model for one on each of its objects; default "separate". */
  readonly levels?: 'separate' | 'combined';
}

/** The role of superusers. */
const superuserRole: RoleRecord = {
  kind: 'role',
  name: 'superuser',
  description: 'May do everything.',
  permissions: ['*'],
};

/** @throws PosternError INVALID_REQUEST, INVALID_OPTION */
export function importGuardian(sources: readonly Source[], options: GuardianOptions): Import {
  if (options.roles === undefined && options.rolePerPermission !== true) {
    const message = 'there are no roles to match permissions to; add --roles FILE, or --role-per-permission';
    throw new PosternError('INVALID_OPTION', message, { field: '--roles' });
  }
  const dump = parseDump(sources);
  const names = createGuardianNames(dump);
  const leftovers: Leftover[] = [];
  const held = gather(dump, names);
  const roles = options.roles === undefined ? [] : parseMatchRoles(options.roles, names);
  const wanted = new Map(roles.map(({ record }) => [record.name, record]));
  const bindings = match(putAside(held, dump, leftovers), roles, options.rolePerPermission === true, wanted, leftovers);
  for (const [user, { superuser, active }] of dump.users) {
    if (!superuser) continue;
    const why = whyNot(user, '', dump);
    if (why !== undefined) leftovers.push({ subject: user, what: 'superuser', why });
    if (!active || why !== undefined) continue;
    want(superuserRole, wanted);
    bindings.push(toBinding(user, superuserRole.name, tenantScope));
  }
  const records: EntityRecord[] = [...wanted.values(), ...toGroups(dump, leftovers), ...bindings];
  return {
    records: recordsInOrder(records),
    rules: createGuardianRules({ dump, held, roles, combined: options.levels === 'combined' }),
    leftovers: leftoversInOrder(leftovers),
  };
}

/** What each holder has on each object. */
function gather(dump: Dump, names: GuardianNames): readonly Held[] {
  const found = new Map<string, { holder: string; object: string; permissions: Map<string, string> }>();
  for (const holding of dump.holdings) {
    const { holder, place } = holding;
    if (holding.permissions.length === 0) continue;
    const object = holding.object === '' ? '' : names.object(holding);
    const key = JSON.stringify([holder, object]);
    const held = found.get(key) ?? { holder, object, permissions: new Map<string, string>() };
    found.set(key, held);
    for (const written of holding.permissions) {
      const { type, action } = names.permission(written, place);
      held.permissions.set(`${type}:${action}`, written);
    }
  }
  return [...found.values()];
}

/** Those that a graph can hold; what the others hold is left over. */
function putAside(held: readonly Held[], dump: Dump, leftovers: Leftover[]): readonly Held[] {
  return held.filter(({ holder, object, permissions }) => {
    const why = whyNot(holder, object, dump);
    if (why === undefined) return true;
    for (const written of permissions.values()) leftovers.push({ subject: holder, what: say(written, object), why });
    return false;
  });
}

function whyNot(holder: string, object: string, { users }: Dump): string | undefined {
  const subjectProblem = problemOfSubject(holder);
  if (subjectProblem !== undefined) return `the name ${subjectProblem}`;
  const objectProblem = object === '' ? undefined : problemOfObject(object);
  if (objectProblem !== undefined) return `the object ${objectProblem}`;
  return users.get(holder)?.active === false ? inactive : undefined;
}

const inactive = 'the user is not active';

/** The bindings; roles that had to be made are added to those that are wanted. */
function match(
  held: readonly Held[],
  roles: readonly MatchRole[],
  rolePerPermission: boolean,
  wanted: Map<string, RoleRecord>,
  leftovers: Leftover[],
): BindingRecord[] {
  const bindings: BindingRecord[] = [];
  for (const { holder, object, permissions } of held) {
    const scope: Scope = object === '' ? tenantScope : { kind: 'object', object };
    const remaining = new Map(permissions);
    for (const { record, match: needed } of roles) {
      if (![...needed].every((permission) => remaining.has(permission))) continue;
      for (const permission of needed) remaining.delete(permission);
      bindings.push(toBinding(holder, record.name, scope));
    }
    for (const [permission, written] of remaining) {
      if (rolePerPermission) {
        want({ kind: 'role', name: permission, permissions: [permission] }, wanted);
        bindings.push(toBinding(holder, permission, scope));
      } else leftovers.push({ subject: holder, what: say(written, object), why: 'no role takes it' });
    }
  }
  return bindings;
}

/** @throws PosternError INVALID_OPTION where a role of that name is something else */
function want(role: RoleRecord, wanted: Map<string, RoleRecord>): void {
  const known = wanted.get(role.name);
  if (known !== undefined && JSON.stringify(known.permissions) !== JSON.stringify(role.permissions)) {
    const message = `--roles has a role ${quote(role.name)}, a name that is needed for ${role.permissions.join()} alone; rename it`;
    throw new PosternError('INVALID_OPTION', message, { field: '--roles' });
  }
  wanted.set(role.name, known ?? role);
}

function toGroups({ groups, users }: Dump, leftovers: Leftover[]): EntityRecord[] {
  const records: EntityRecord[] = [];
  for (const [group, members] of groups) {
    const problem = problemOfSubject(group);
    // A group with members needs no record of its own.
    if (problem === undefined && members.size === 0) records.push({ kind: 'group', group });
    for (const member of members) {
      const memberProblem = problemOfSubject(member) ?? problem;
      const isActive = users.get(member)?.active !== false;
      if (memberProblem === undefined && isActive) records.push({ kind: 'member', group, member });
      else {
        const why = memberProblem === undefined ? inactive : `the name ${memberProblem}`;
        leftovers.push({ subject: member, what: `membership of ${group}`, why });
      }
    }
  }
  return records;
}

function toBinding(subject: string, role: string, scope: Scope): BindingRecord {
  return { kind: 'binding', subject, role, scope: toScopeInput(scope) };
}

function say(written: string, object: string): string {
  return object === '' ? `${written} on the model` : `${written} on ${object}`;
}
