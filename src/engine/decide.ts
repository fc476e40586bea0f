/** The decision: pure, synchronous, deterministic. Check, the lists and Explain all go through weigh(). */
import { type Binding, keyOfBinding } from '../graph/binding.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Query, Reach, Verdict } from '../model/query.ts';
import { cheaperFromPrincipals, weighPrincipals, weighScope } from './candidates.ts';
import { type Walk, walkFor, walkFound } from './walk.ts';
import { sharedWeighing, type Weighing } from './weighing.ts';

/**
 * Answers a question at a snapshot and a time, as mode "enforce" would.
 * @param nowMs Milliseconds since 1970.
 * @throws PosternError ROLES_CONFLICT, CONDITION_FAILED
 */
export function decide(snapshot: Snapshot, query: Query, nowMs: number): Verdict {
  const walk = walkFor(snapshot, query, nowMs);
  return toVerdict(weigh(snapshot, walk, query.reach, nowMs), snapshot);
}

/**
 * decide() for names that have been looked up in the snapshot already; -1 for those that it does not know.
 * @param fieldPrefix Stands before the name of a field in an error.
 */
export function decideFound(
  snapshot: Snapshot,
  query: Query,
  subject: number,
  object: number,
  nowMs: number,
  fieldPrefix = '',
): Verdict {
  const walk = walkFound(snapshot, query, subject, object, nowMs, fieldPrefix);
  return toVerdict(weigh(snapshot, walk, query.reach, nowMs), snapshot);
}

export function isAllowed(weighing: Weighing): boolean {
  return weighing.deny === undefined && weighing.allow !== undefined;
}

/** The binding that decides, or the closest one to do so. */
export function decidingBinding(weighing: Weighing): Binding | undefined {
  return weighing.deny ?? weighing.allow ?? weighing.unmet ?? weighing.lacking;
}

export function toVerdict(weighing: Weighing, snapshot: Snapshot): Verdict {
  const binding = decidingBinding(weighing);
  const key = binding === undefined ? '' : keyOfBinding(binding, snapshot.names);
  if (weighing.deny !== undefined) return { allowed: false, reason: 'EXPLICIT_DENY', binding: key };
  if (weighing.allow !== undefined) return { allowed: true, reason: 'ALLOWED', binding: key };
  if (weighing.unmet !== undefined) return { allowed: false, reason: 'CONDITION_NOT_MET', binding: key };
  return { allowed: false, reason: binding === undefined ? 'NO_ROLE' : 'ROLE_LACKS_PERMISSION', binding: key };
}

/**
 * Weighs every binding between the walk's principals and scopes. The result is valid until the next call.
 * @throws PosternError CONDITION_FAILED where the answer depends on a condition that cannot be evaluated
 */
export function weigh(snapshot: Snapshot, walk: Walk, reach: Reach, nowMs: number): Weighing {
  sharedWeighing.deny = undefined;
  sharedWeighing.allow = undefined;
  sharedWeighing.unmet = undefined;
  sharedWeighing.lacking = undefined;
  sharedWeighing.undecidedDeny = undefined;
  sharedWeighing.undecidedAllow = undefined;
  if (reach === 'exact') weighScope(snapshot, walk, walk.objectNode, nowMs);
  else if (cheaperFromPrincipals(snapshot, walk)) weighPrincipals(snapshot, walk, nowMs);
  else for (let i = 0; i < walk.scopes.length; i++) weighScope(snapshot, walk, walk.scopes.at(i), nowMs);
  assertDecided(walk);
  return sharedWeighing;
}

/**
 * A condition that cannot be evaluated is neither true nor false. That is an error only where it matters: not
 * where something else denies, and not where nothing could allow.
 */
function assertDecided(walk: Walk): void {
  const { deny, allow, undecidedDeny, undecidedAllow } = sharedWeighing;
  if (deny !== undefined) return;
  const undecided = allow === undefined ? undecidedAllow : undecidedDeny;
  // Evaluated once more, for its error: that way nothing but a binding has to be kept.
  if (undecided !== undefined) undecided.extra?.condition?.holds(walk.asked);
}
