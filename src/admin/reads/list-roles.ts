/**
 * The roles of a tenant, in the order of their names. They are sorted once for each set of roles, not for each page.
 * A page looks at the roles after its position, up to the last one that it lists.
 */
import { compileGlob, matchesGlob } from '../../graph/glob.ts';
import type { Role } from '../../graph/role.ts';
import { firstNot } from '../../graph/seek.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import type { RoleRecord } from '../../model/entity.ts';
import { messageOf, PosternError } from '../../model/errors.ts';
import { parseShortPermission } from '../../model/permission.ts';
import type { Listed, Page, RoleFilter } from '../api.ts';
import { covers, type Held, heldBy } from '../cover.ts';
import { checkRoleFilter } from './check-filter.ts';
import type { ReadGate } from './gate.ts';
import { type Listing, lookedAtInTurn, readPage } from './page.ts';
import type { Position } from './page-token.ts';

/**
 * `containsPermissions`: a role contains a permission where one of those that it has, by itself or by inclusion, covers
 * it on every object; `file:*` is contained in roles that have all of it. Those narrowed to some objects do not count.
 * `objectType`: a role that has permissions, each of them short or long for that very type.
 * @throws PosternError NOT_PERMITTED, INVALID_REQUEST, INVALID_TYPE, and what readPage throws
 */
export async function listRoles(
  gate: ReadGate,
  filter: RoleFilter,
  page: Page,
  signal?: AbortSignal,
): Promise<Listed<RoleRecord>> {
  checkRoleFilter(filter);
  const wanted = filter.containsPermissions.map(toHeld);
  gate.roles(filter.name);
  const { snapshot } = gate;
  const listing: Listing<Role, RoleRecord> = {
    asked: ['roles', filter.name, filter.containsPermissions, filter.objectType, filter.system ?? null],
    shape: ['string'],
    names: undefined,
    scan: (after) => scan(snapshot, filter, wanted, after),
    positionOf: (role) => [role.name],
    toRecord: (role) => role.record,
  };
  return readPage(gate, listing, page, signal);
}

function* scan(snapshot: Snapshot, filter: RoleFilter, wanted: readonly Held[], after: Position | undefined) {
  const { objectType, system } = filter;
  const name = filter.name === '' ? undefined : compileGlob(filter.name);
  const roles = rolesByName(snapshot.roles);
  const from = after === undefined ? 0 : firstNot(roles, (role) => role.name <= (after[0] as string));
  let looked = 0;
  for (let i = from; i < roles.length; i++) {
    const role = roles[i] as Role;
    if (name !== undefined && !matchesGlob(name, role.name)) looked++;
    else if (system !== undefined && (role.record.system === true) !== system) looked++;
    else {
      looked += 1 + role.closure.size * (wanted.length + 1);
      const all = wanted.length === 0 && objectType === '' ? undefined : permissionsOf(snapshot, role);
      if (all === undefined || (containsAny(all, wanted) && isFor(all, objectType))) yield role;
    }
    if (looked >= lookedAtInTurn) {
      looked = 0;
      yield undefined;
    }
  }
}

function containsAny(held: readonly Held[], wanted: readonly Held[]): boolean {
  return wanted.length === 0 || held.some((mine) => wanted.some((theirs) => covers(mine, theirs)));
}

function isFor(held: readonly Held[], type: string): boolean {
  if (type === '') return true;
  return held.length > 0 && held.every(({ permission }) => permission.type === type);
}

function permissionsOf(snapshot: Snapshot, role: Role): readonly Held[] {
  const held: Held[] = [];
  for (const id of role.closure) {
    const included = snapshot.roles[id];
    if (included !== undefined) held.push(...heldBy(included.record));
  }
  return held;
}

function toHeld(text: string, i: number): Held {
  try {
    return { permission: parseShortPermission(text), except: [] };
  } catch (error) {
    const field = `contains_permissions[${i}]`;
    throw new PosternError('INVALID_REQUEST', `${field}: ${messageOf(error)}`, { field }, error);
  }
}

// Roles change seldom, and every page needs them in order; a list of roles is never changed.
const sorted = new WeakMap<Snapshot['roles'], readonly Role[]>();

function rolesByName(roles: Snapshot['roles']): readonly Role[] {
  const known = sorted.get(roles);
  if (known !== undefined) return known;
  const byName = roles.filter((role) => role !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  sorted.set(roles, byName);
  return byName;
}
