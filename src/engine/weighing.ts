/**
 * What the bindings that reach a question come to, one binding after another. Check, the lists and Explain all end
 * here, so none of them can disagree with another.
 */
import { type Binding, keyOfBinding } from '../graph/binding.ts';
import { grantsPermission } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Condition } from '../model/condition.ts';
import { activePartGrants } from './active-roles.ts';
import type { Walk } from './walk.ts';

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

/** The one weighing of this thread: valid until the next question. */
export const sharedWeighing = new Weighing();

export function weighBinding(snapshot: Snapshot, walk: Walk, binding: Binding, nowMs: number): void {
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
