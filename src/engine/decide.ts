/**
 * The decision: pure, synchronous, deterministic. Check, the lists and Explain
 * all go through weigh(), so none of them can disagree with another.
 */
import { type Binding, keyOfBinding } from '../graph/binding.ts';
import type { Chunked } from '../graph/chunked.ts';
import { at } from '../graph/paged.ts';
import { grantsPermission } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Condition } from '../model/condition.ts';
import type { Query, Reach, Verdict } from '../model/query.ts';
import { activePartGrants } from './active-roles.ts';
import { type Walk, walkFor, walkFound } from './walk.ts';

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

/** What the bindings that reach a question come to. One object, reused. */
export class Weighing {
  /** The applying binding that denies, smallest by key; undefined where none does. */
  deny: Binding | undefined;
  /** The applying binding that allows, smallest by key. */
  allow: Binding | undefined;
  /** An allowing binding whose condition is false; smallest by key. */
  unmet: Binding | undefined;
  /** An allowing binding that reaches, but whose role, or what is active of it, lacks the permission; smallest by key. */
  lacking: Binding | undefined;
  /** Granting bindings whose condition cannot be evaluated; smallest by key. */
  undecidedDeny: Binding | undefined;
  undecidedAllow: Binding | undefined;
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

const sharedWeighing = new Weighing();

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
  else for (let i = 0; i < walk.scopes.length; i++) weighScope(snapshot, walk, walk.scopes[i] as number, nowMs);
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

// Both sides hold all candidates; the side with fewer bindings is walked. A long
// list at a scope costs no more than a binary search for each principal, so that
// neither a group with 100,000 bindings nor a tenant scope with 100,000 subjects
// makes a question slow.
const searchCost = 16;

// Below this many bindings at the scopes, looking at what the principals have
// would cost more (in a large graph, a cache miss each) than it could save.
const fewBindings = 32;

function cheaperFromPrincipals(snapshot: Snapshot, walk: Walk): boolean {
  const fromScopes = costFromScopes(snapshot, walk);
  return fromScopes > fewBindings && costFromPrincipals(snapshot, walk) <= fromScopes;
}

function costFromPrincipals(snapshot: Snapshot, walk: Walk): number {
  let cost = 0;
  for (let i = 0; i < walk.principals.length; i++)
    cost += at(snapshot.bindingsOf, walk.principals[i] as number)?.size ?? 0;
  return cost;
}

function costFromScopes(snapshot: Snapshot, walk: Walk): number {
  const most = walk.principals.length * searchCost;
  let cost = 0;
  for (let i = 0; i < walk.scopes.length; i++) {
    const size = at(snapshot.bindingsAt, walk.scopes[i] as number)?.size ?? 0;
    cost += Math.min(size, most);
  }
  return cost;
}

function weighPrincipals(snapshot: Snapshot, walk: Walk, nowMs: number): void {
  for (let i = 0; i < walk.principals.length; i++) {
    const list = at(snapshot.bindingsOf, walk.principals[i] as number);
    if (list === undefined) continue;
    for (let c = 0; c < list.chunks.length; c++) {
      const chunk = list.chunks[c] as readonly Binding[];
      for (let j = 0; j < chunk.length; j++) {
        const binding = chunk[j] as Binding;
        if (walk.isScope(binding.scope)) weighBinding(snapshot, walk, binding, nowMs);
      }
    }
  }
}

function weighScope(snapshot: Snapshot, walk: Walk, scope: number, nowMs: number): void {
  const list = scope < 0 ? undefined : at(snapshot.bindingsAt, scope);
  if (list === undefined) return;
  if (list.size > walk.principals.length * searchCost) {
    for (let i = 0; i < walk.principals.length; i++)
      searchPrincipal(snapshot, walk, list, walk.principals[i] as number, nowMs);
    return;
  }
  for (let c = 0; c < list.chunks.length; c++) {
    const chunk = list.chunks[c] as readonly Binding[];
    for (let j = 0; j < chunk.length; j++) {
      const binding = chunk[j] as Binding;
      if (walk.isPrincipal(binding.principal)) weighBinding(snapshot, walk, binding, nowMs);
    }
  }
}

/** Weighs the bindings of one principal in a list in byPrincipal order. */
function searchPrincipal(
  snapshot: Snapshot,
  walk: Walk,
  list: Chunked<Binding>,
  principal: number,
  nowMs: number,
): void {
  const { chunks } = list;
  let low = 0;
  let high = chunks.length - 1;
  // The last chunk that begins before the principal: its bindings may begin there.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (((chunks[middle] as readonly Binding[])[0] as Binding).principal < principal) low = middle;
    else high = middle - 1;
  }
  for (let c = low; c < chunks.length; c++) {
    const chunk = chunks[c] as readonly Binding[];
    let j = firstOf(chunk, principal);
    for (; j < chunk.length; j++) {
      const binding = chunk[j] as Binding;
      if (binding.principal !== principal) return;
      weighBinding(snapshot, walk, binding, nowMs);
    }
  }
}

function firstOf(chunk: readonly Binding[], principal: number): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunk[middle] as Binding).principal < principal) low = middle + 1;
    else high = middle;
  }
  return low;
}

function weighBinding(snapshot: Snapshot, walk: Walk, binding: Binding, nowMs: number): void {
  if (binding.expiresAt !== 0 && nowMs >= binding.expiresAt) return;
  if (!binding.cascade && binding.scope !== walk.objectNode) return;
  const weighing = sharedWeighing;
  const role = snapshot.roles[binding.role];
  const grants =
    role !== undefined &&
    (walk.active === undefined || binding.deny
      ? grantsPermission(role.grants, walk)
      : activePartGrants(snapshot, walk.active, binding.role, walk));
  if (grants && binding.extra?.condition !== undefined) {
    weighConditional(snapshot, walk, binding, binding.extra.condition.holds);
  } else if (binding.deny) {
    if (grants) weighing.deny = smaller(weighing.deny, binding, snapshot);
  } else if (weighing.deny === undefined) {
    if (grants) weighing.allow = smaller(weighing.allow, binding, snapshot);
    else if (weighing.allow === undefined) weighing.lacking = smaller(weighing.lacking, binding, snapshot);
  }
}

function weighConditional(snapshot: Snapshot, walk: Walk, binding: Binding, holds: Condition): void {
  const weighing = sharedWeighing;
  const outcome = outcomeOf(holds, walk);
  if (binding.deny) {
    if (outcome === 'true') weighing.deny = smaller(weighing.deny, binding, snapshot);
    else if (outcome === 'error') weighing.undecidedDeny = smaller(weighing.undecidedDeny, binding, snapshot);
  } else if (outcome === 'true') weighing.allow = smaller(weighing.allow, binding, snapshot);
  else if (outcome === 'false') weighing.unmet = smaller(weighing.unmet, binding, snapshot);
  else weighing.undecidedAllow = smaller(weighing.undecidedAllow, binding, snapshot);
}

function outcomeOf(holds: Condition, walk: Walk): 'true' | 'false' | 'error' {
  try {
    return holds(walk.asked) ? 'true' : 'false';
  } catch {
    return 'error';
  }
}

/** Of two bindings that decide alike the one with the smaller key, so that every sidecar names the same one. */
function smaller(a: Binding | undefined, b: Binding, snapshot: Snapshot): Binding {
  if (a === undefined) return b;
  return keyOfBinding(a, snapshot.names) < keyOfBinding(b, snapshot.names) ? a : b;
}
