/**
 * Whether one permission covers another as text, and whether two can meet: what a grant is compared by. Both answers
 * are about every type and action that could ever be named, so a cover is never claimed where it is not sure, and a
 * meeting never denied where it is possible. Called by holdings.ts.
 */
import { compileGlob, matchesGlob } from '../graph/glob.ts';
import type { RoleRecord } from '../model/entity.ts';
import { type Permission, parsePermission, parseShortPermission } from '../model/permission.ts';
import { formatScope } from '../model/scope.ts';

/** A permission, and what is taken from it. */
export interface Held {
  readonly permission: Permission;
  readonly except: readonly Permission[];
}

const known = new WeakMap<RoleRecord, readonly Held[]>();

/** What a role grants by itself. */
export function heldBy(record: RoleRecord): readonly Held[] {
  const before = known.get(record);
  if (before !== undefined) return before;
  const except = (record.except ?? []).map(parseShortPermission);
  const held = record.permissions.flatMap(parsePermission).map((permission) => ({ permission, except }));
  known.set(record, held);
  return held;
}

/** Whether whoever has `mine` has all of `theirs`. */
export function covers(mine: Held, theirs: Held): boolean {
  const { permission } = mine;
  if (!coversGlob(permission.type, theirs.permission.type)) return false;
  if (!coversGlob(permission.action, theirs.permission.action)) return false;
  if (permission.objects !== undefined && !sameObjects(permission, theirs.permission)) return false;
  return mine.except.every(
    (taken) => !meetsShort(taken, theirs.permission) || theirs.except.some((other) => coversShort(other, taken)),
  );
}

/** Whether there can be an action that both are about; which objects is not looked at, nor what is excepted. */
export function meets(a: Held, b: Held): boolean {
  return meetsShort(a.permission, b.permission);
}

function meetsShort(a: Permission, b: Permission): boolean {
  return meetsGlob(a.type, b.type) && meetsGlob(a.action, b.action);
}

function coversShort(mine: Permission, theirs: Permission): boolean {
  return coversGlob(mine.type, theirs.type) && coversGlob(mine.action, theirs.action);
}

function sameObjects(a: Permission, b: Permission): boolean {
  return a.objects !== undefined && b.objects !== undefined && formatScope(a.objects) === formatScope(b.objects);
}

/** Whether a glob matches all that another one does: a `*` of the other is only ever matched by a `*`. */
function coversGlob(mine: string, theirs: string): boolean {
  return matchesGlob(compileGlob(mine), theirs);
}

/** Whether some text is matched by both. */
function meetsGlob(a: string, b: string): boolean {
  if (!a.includes('*')) return matchesGlob(compileGlob(b), a);
  if (!b.includes('*')) return matchesGlob(compileGlob(a), b);
  // met[j]: whether some text is matched by as much of `a` as was looked at, and by b.slice(0, j).
  let met: boolean[] = Array.from({ length: b.length + 1 }, (_, j) => /^\**$/.test(b.slice(0, j)));
  for (const left of a) {
    const next = [left === '*' && (met[0] as boolean)];
    for (let j = 1; j <= b.length; j++) {
      const right = b[j - 1];
      if (left === '*' || right === '*') next.push((met[j] as boolean) || (next[j - 1] as boolean));
      else next.push(left === right && (met[j - 1] as boolean));
    }
    met = next;
  }
  return met[b.length] as boolean;
}
