/** Decides about an object before it exists: may it be made there? Called by administration. Pure, as decide.ts is. */
import type { Snapshot } from '../graph/snapshot.ts';
import { isAllowed, weigh } from './decide.ts';
import { sharedWalk } from './walk.ts';

const noGroups: readonly string[] = [];

/**
 * Whether a subject may do an action on an object that nobody has registered, if it were below `parent`.
 * @param parent Empty for none. Unknown ones are the same as none: they have no bindings.
 * @throws PosternError CONDITION_FAILED
 */
export function mayOnNew(
  snapshot: Snapshot,
  subject: string,
  action: string,
  object: string,
  parent: string,
  nowMs: number,
): boolean {
  const { names } = snapshot;
  sharedWalk.expandSubject(snapshot, subject, names.findNode(subject), noGroups, undefined, nowMs);
  sharedWalk.expandNew(snapshot, object, parent === '' ? -1 : names.findNode(parent), action);
  return isAllowed(weigh(snapshot, sharedWalk, 'inherited', nowMs));
}
