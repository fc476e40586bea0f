/**
 * What each list should hold, by loops over the records of a graph. Like test/reference, which it builds on, it must
 * never import from the graph, the engine or administration: it says what they should say.
 */
import type { BindingFilter, MemberFilter, ObjectFilter, RoleFilter } from '../../../src/admin/api.ts';
import type { EntityRecord, RoleRecord } from '../../../src/model/entity.ts';
import { typeOf } from '../../../src/model/names.ts';
import { parsePermission, parseShortPermission } from '../../../src/model/permission.ts';
import { formatScope, parseScope } from '../../../src/model/scope.ts';
import { bindingReaches, globMatches, holds, principalsOf, withIncluded } from '../../reference/evaluator.ts';

type Records = readonly EntityRecord[];

/** Permissions that are asked for are literal here; globs have cases of their own. */
export function rolesOf(records: Records, filter: RoleFilter): Records {
  return records.filter((record) => {
    if (record.kind !== 'role') return false;
    if (filter.name !== '' && !globMatches(filter.name, record.name)) return false;
    if (filter.system !== undefined && (record.system === true) !== filter.system) return false;
    const parts = records.filter(
      (other): other is RoleRecord => other.kind === 'role' && withIncluded(records, record.name).has(other.name),
    );
    const wanted = filter.containsPermissions;
    if (wanted.length > 0 && !wanted.some((text) => parts.some((part) => contains(part, text)))) return false;
    if (filter.objectType === '') return true;
    const all = parts.flatMap((part) => part.permissions.flatMap(parsePermission));
    return all.length > 0 && all.every((permission) => permission.type === filter.objectType);
  });
}

function contains(role: RoleRecord, text: string): boolean {
  const { type, action } = parseShortPermission(text);
  const matches = (permission: { readonly type: string; readonly action: string }) =>
    globMatches(permission.type, type) && globMatches(permission.action, action);
  const own = role.permissions.flatMap(parsePermission).filter((permission) => permission.objects === undefined);
  return own.some(matches) && !(role.except ?? []).map(parseShortPermission).some(matches);
}

export function groupsOf(records: Records, name: string): Records {
  const groups = new Map<string, EntityRecord>();
  for (const record of records) {
    if (record.kind === 'member' && !groups.has(record.group)) {
      groups.set(record.group, { kind: 'group', group: record.group });
    }
    if (record.kind === 'group') groups.set(record.group, record);
  }
  return [...groups].flatMap(([group, record]) => (name === '' || globMatches(name, group) ? [record] : []));
}

export function membersOf(records: Records, { group, member, transitive }: MemberFilter, now: number): Records {
  const above = transitive ? principalsOf(records, member, [], now) : new Set([member]);
  const below = new Set([group]);
  for (const open of below) {
    for (const edge of records) {
      const isGroup = edge.kind === 'member' && edge.member.startsWith('group:');
      if (transitive && isGroup && edge.group === open && holds(edge.expiresAt, now)) below.add(edge.member);
    }
  }
  return records.filter(
    (record) =>
      record.kind === 'member' &&
      (member === '' || above.has(record.member)) &&
      (group === '' || below.has(record.group)),
  );
}

export function bindingsOf(records: Records, filter: BindingFilter, now: number): Records {
  const { subject, throughGroups, role, object, inherited, scope } = filter;
  const principals = throughGroups ? principalsOf(records, subject, [], now) : new Set([subject]);
  const reach = inherited ? 'inherited' : 'exact';
  return records.filter((record) => {
    if (record.kind !== 'binding') return false;
    if (subject !== '' && !principals.has(record.subject)) return false;
    if (role !== '' && record.role !== role) return false;
    if (scope !== '' && formatScope(parseScope(record.scope)) !== scope) return false;
    const query = { subject: '', action: '', object, reach, assertedGroups: [] } as const;
    return object === '' || bindingReaches(records, record, query);
  });
}

export function objectsOf(records: Records, { type, parent, object }: ObjectFilter): Records {
  return records.filter((record) => {
    if (record.kind !== 'object') return false;
    if (type !== '' && typeOf(record.object) !== type) return false;
    if (object !== '' && record.object !== object) return false;
    return parent === '' || (record.parents ?? []).some((edge) => edge.object === parent);
  });
}
