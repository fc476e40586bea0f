/**
 * Whether a tenant has an administrator: a subject who may bind roles for all of it, now or without end. Called by
 * plan.ts, so that nobody shuts the last door from the inside by accident. Conditions are not counted on.
 */

import { decide } from '../engine/decide.ts';
import { Walk } from '../engine/walk.ts';
import type { Binding } from '../graph/binding.ts';
import { chunksOf } from '../graph/chunked.ts';
import { rootNode } from '../graph/names.ts';
import { at } from '../graph/paged.ts';
import { grantsPermission } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { PosternError } from '../model/errors.ts';
import { anonymous, everyone, isWildcard, typeOf } from '../model/names.ts';

/** A time after all times that a record can hold. */
const endOfTime = Number.MAX_SAFE_INTEGER;
const walk = new Walk();
const noGroups: readonly string[] = [];
const unnamed = 'whom nobody has named';

/**
 * Refuses a change that takes the last administrator, or the last one without an end.
 * @param hint What to do about it.
 * @throws PosternError LAST_ADMINISTRATOR
 */
export function checkAdministrators(before: Snapshot, after: Snapshot, nowMs: number, hint: string): void {
  if ([nowMs, endOfTime].every((atMs) => hasAdministrator(after, atMs) || !hasAdministrator(before, atMs))) return;
  const what = 'nobody would be left who may "grant" on the tenant, without a condition and without an end';
  throw new PosternError('LAST_ADMINISTRATOR', `${what}; ${hint}`);
}

function hasAdministrator(snapshot: Snapshot, atMs: number): boolean {
  for (const chunk of chunksOf(at(snapshot.bindingsAt, rootNode))) {
    for (const binding of chunk) {
      if (mayAdminister(snapshot, binding, atMs) && hasSubject(snapshot, binding.principal, atMs)) return true;
    }
  }
  return false;
}

function mayAdminister(snapshot: Snapshot, binding: Binding, atMs: number): boolean {
  if (binding.deny || binding.extra?.condition !== undefined) return false;
  if (binding.expiresAt !== 0 && binding.expiresAt <= atMs) return false;
  const role = snapshot.roles[binding.role];
  if (role === undefined) return false;
  walk.expandObject(snapshot, '', -1, 'grant');
  return grantsPermission(role.grants, walk);
}

/** Whether a principal is, or holds by membership, a subject that nothing denies to administer. */
function hasSubject(snapshot: Snapshot, principal: number, atMs: number): boolean {
  const members = new Set([principal]);
  // A set may grow while it is walked: what is added is visited too.
  for (const node of members) {
    const name = snapshot.names.nodeName(node);
    // Whoever has not said who he is can do nothing here, and a group does nothing by itself.
    if (name === anonymous || name === 'group:*') continue;
    if (!name.startsWith('group:')) {
      if (isAllowed(snapshot, someoneOf(name), atMs)) return true;
      continue;
    }
    for (const chunk of chunksOf(at(snapshot.membersOf, node))) {
      for (const edge of chunk) if (edge.expiresAt === 0 || edge.expiresAt > atMs) members.add(edge.node);
    }
  }
  return false;
}

/** The subject itself; for a wildcard one that it stands for and that nothing else is about. */
function someoneOf(name: string): string {
  if (name === everyone) return `someone:${unnamed}`;
  return isWildcard(name) ? `${typeOf(name)}:${unnamed}` : name;
}

function isAllowed(snapshot: Snapshot, subject: string, atMs: number): boolean {
  const query = { subject, action: 'grant', object: '', reach: 'inherited', assertedGroups: noGroups } as const;
  try {
    return decide(snapshot, query, atMs).allowed;
  } catch {
    return false; // A denial hangs on a condition: that is nobody to count on.
  }
}
