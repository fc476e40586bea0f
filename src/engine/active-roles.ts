/**
 * The roles that a question activates (INCITS 359-2004, 5.4): what is left of each role that somebody is bound to,
 * and which sets of roles may not be active together. Made once for a question, and only for those that name any.
 */
import type { Binding } from '../graph/binding.ts';
import { type Grants, grantsPermission, type Target } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { ConstraintRecord } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';

export interface ActiveRoles {
  /** Ids of the roles that were named; one that the graph does not know has none, and grants nothing. */
  readonly ids: ReadonlySet<number>;
  /** By the id of a bound role: see activePartsOf. Filled as bindings ask. */
  readonly parts: Map<number, readonly Grants[]>;
}

/**
 * Undefined where all roles are active.
 * @param fieldPrefix Stands before the field's name in an error.
 * @throws PosternError ROLES_CONFLICT where a dynamic constraint keeps some of the roles apart
 */
export function activeRolesOf(
  snapshot: Snapshot,
  names: readonly string[] | undefined,
  fieldPrefix = '',
): ActiveRoles | undefined {
  if (names === undefined || names.length === 0) return undefined;
  assertNoConflict(snapshot, names, `${fieldPrefix}context.active_roles`);
  const ids = new Set<number>();
  for (const name of names) {
    const id = snapshot.names.findRole(name);
    if (id >= 0) ids.add(id);
  }
  return { ids, parts: new Map() };
}

/** Whether what is active of a role grants the target. */
export function activePartGrants(snapshot: Snapshot, active: ActiveRoles, role: number, target: Target): boolean {
  const parts = activePartsOf(snapshot, active, role);
  for (let i = 0; i < parts.length; i++) if (grantsPermission(parts[i] as Grants, target)) return true;
  return false;
}

/** What an allow binding grants by its role, in parts that count together; all of it where `active` is undefined. */
export function partsOf(snapshot: Snapshot, active: ActiveRoles | undefined, binding: Binding): readonly Grants[] {
  if (active !== undefined) return activePartsOf(snapshot, active, binding.role);
  const role = snapshot.roles[binding.role];
  return role === undefined ? [] : [role.grants];
}

function activePartsOf(snapshot: Snapshot, active: ActiveRoles, id: number): readonly Grants[] {
  const known = active.parts.get(id);
  if (known !== undefined) return known;
  const parts: Grants[] = [];
  const closure = snapshot.roles[id]?.closure;
  for (const part of active.ids) {
    const role = closure?.has(part) === true ? snapshot.roles[part] : undefined;
    if (role !== undefined) parts.push(role.grants);
  }
  active.parts.set(id, parts);
  return parts;
}

function assertNoConflict(snapshot: Snapshot, names: readonly string[], field: string): void {
  const constraints = dynamicConstraintsOf(snapshot.constraints);
  if (constraints.size === 0) return;
  const held = new Map<ConstraintRecord, string[]>();
  for (const name of withIncluded(snapshot, names)) {
    for (const constraint of constraints.get(name) ?? []) {
      const roles = held.get(constraint);
      if (roles === undefined) held.set(constraint, [name]);
      else roles.push(name);
    }
  }
  // Of several, the one whose name sorts first, so that every sidecar says the same.
  const broken = [...held].filter(([constraint, roles]) => roles.length >= cardinalityOf(constraint));
  const [first] = broken.sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  if (first !== undefined) throw conflict(first[0], first[1].sort(), field);
}

/** The names, and those of all that they include. */
function withIncluded(snapshot: Snapshot, names: readonly string[]): ReadonlySet<string> {
  const all = new Set(names);
  for (const name of names) {
    for (const id of snapshot.roles[snapshot.names.findRole(name)]?.closure ?? []) {
      all.add(snapshot.names.roles[id] as string);
    }
  }
  return all;
}

function cardinalityOf(constraint: ConstraintRecord): number {
  return constraint.cardinality ?? 2;
}

function conflict(constraint: ConstraintRecord, roles: readonly string[], field: string): PosternError {
  const most = cardinalityOf(constraint) - 1;
  return new PosternError(
    'ROLES_CONFLICT',
    `${field} would make ${roles.map(quote).join(', ')} active together, with what they include; constraint ${quote(constraint.name)} lets at most ${most} of them be; name fewer`,
    { field, constraint: constraint.name, roles: JSON.stringify(roles) },
  );
}

type ByRole = ReadonlyMap<string, readonly ConstraintRecord[]>;

// Constraints may be many and change seldom; the list itself is the key and is never changed.
const dynamicConstraints = new WeakMap<Snapshot['constraints'], ByRole>();

function dynamicConstraintsOf(constraints: Snapshot['constraints']): ByRole {
  const known = dynamicConstraints.get(constraints);
  if (known !== undefined) return known;
  const byRole = new Map<string, ConstraintRecord[]>();
  for (const constraint of constraints.values()) {
    if (constraint.dynamic !== true) continue;
    for (const role of new Set(constraint.roles)) {
      const list = byRole.get(role);
      if (list === undefined) byRole.set(role, [constraint]);
      else list.push(constraint);
    }
  }
  dynamicConstraints.set(constraints, byRole);
  return byRole;
}
