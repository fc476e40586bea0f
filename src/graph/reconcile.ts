/**
 * The roles that software ships, brought into a graph at an upgrade: what is new is added, what changed is changed,
 * what is not shipped any more goes with everything that names it, and what the users of the software made stays.
 * Called by `postern reconcile`. Pure; whether the result is valid is validate's.
 */
import type { ConstraintRecord, EntityRecord, HookRecord, RoleRecord } from '../model/entity.ts';

export interface Shipment {
  readonly roles: readonly RoleRecord[];
  /**
   * Beginnings of the names that are the software's own: of those alone, what is not shipped any more is removed.
   * Several programs may so ship roles into one graph. Empty: all system roles are this software's.
   */
  readonly prefixes: readonly string[];
}

/** The graph after an upgrade. Running it again changes nothing. */
export function reconcile(records: readonly EntityRecord[], { roles, prefixes }: Shipment): EntityRecord[] {
  const shipped = new Map(roles.map((role) => [role.name, { ...role, system: true as const }]));
  const isOurs = (name: string) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  const isObsolete = (record: EntityRecord) =>
    record.kind === 'role' && record.system === true && !shipped.has(record.name) && isOurs(record.name);
  const obsolete = new Set(records.flatMap((record) => (isObsolete(record) ? [(record as RoleRecord).name] : [])));
  const kept = records.flatMap((record) => {
    if (record.kind !== 'role') return withoutRoles(record, obsolete);
    return obsolete.has(record.name) || shipped.has(record.name) ? [] : [withoutIncludes(record, obsolete)];
  });
  return [...kept, ...shipped.values()];
}

/** A record without what names a role that is gone; nothing where nothing is left of it. */
function withoutRoles(record: EntityRecord, gone: ReadonlySet<string>): readonly EntityRecord[] {
  switch (record.kind) {
    case 'binding':
      return gone.has(record.role) ? [] : [record];
    case 'hook':
      return withoutGrants(record, gone);
    case 'constraint':
      return withoutMembers(record, gone);
    default:
      return [record];
  }
}

function withoutIncludes(role: RoleRecord, gone: ReadonlySet<string>): RoleRecord {
  if (role.includes?.some((name) => gone.has(name)) !== true) return role;
  const { includes, ...rest } = role;
  const left = includes.filter((name) => !gone.has(name));
  return left.length === 0 ? rest : { ...rest, includes: left };
}

function withoutGrants(hook: HookRecord, gone: ReadonlySet<string>): readonly HookRecord[] {
  const grants = hook.grants.filter((grant) => !('role' in grant && gone.has(grant.role)));
  if (grants.length === hook.grants.length) return [hook];
  return grants.length === 0 ? [] : [{ ...hook, grants }];
}

/** Of fewer roles than would be too many, nobody can have too many. */
function withoutMembers(constraint: ConstraintRecord, gone: ReadonlySet<string>): readonly ConstraintRecord[] {
  const roles = constraint.roles.filter((name) => !gone.has(name));
  if (roles.length === constraint.roles.length) return [constraint];
  return roles.length < (constraint.cardinality ?? 2) ? [] : [{ ...constraint, roles }];
}
