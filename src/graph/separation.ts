/**
 * Static separation of duty (INCITS 359-2004, static separation of duty in the presence of a role hierarchy): who is
 * authorised for how many roles of a constraint, through groups, wildcards and included roles. Called by
 * validate-constraints.ts with records, and by validate-change-constraints.ts with snapshots.
 *
 * What counts is what is written: scopes, conditions and expiries are not looked at, and deny bindings take nothing
 * away. Sets of roles are handed down from groups to members, each node once, without recursion; a cycle (which is a
 * problem of its own) ends where it closes.
 */
import type { ConstraintRecord } from '../model/entity.ts';
import { anonymous, everyone, typeOf } from '../model/names.ts';
import { createRoleSets, emptySet, type RoleSets, type SetId } from './role-sets.ts';

/** The graph as far as separation of duty looks at it. */
export interface Authorisations {
  readonly groupsOf: (principal: string) => readonly string[];
  /** The roles of a principal's own allow bindings; they may repeat. */
  readonly rolesOf: (principal: string) => Iterable<string>;
  readonly includesOf: (role: string) => readonly string[];
}

/** How a subject comes to one role. */
export interface Way {
  readonly role: string;
  /** The role of the binding: the same, or one that includes it. */
  readonly bound: string;
  /** From the subject, over its groups or wildcard, to whom the binding names. */
  readonly principals: readonly string[];
}

export interface Separation {
  /** The constrained roles that a principal and its groups have; wildcards left out. */
  readonly heldBy: (principal: string) => readonly string[];
  /** The constrained roles that a role is or includes, at any distance. */
  readonly grantedBy: (role: string) => readonly string[];
  /**
   * The constraints that a subject violates. Not those that one of its groups, or a wildcard that stands for it,
   * violates alone: these are the ones to tell of.
   */
  readonly violatedBy: (subject: string) => readonly ConstraintRecord[];
  /** The ways to as many roles as are too many; shortest ways, and nobody else's where the subject has its own. */
  readonly waysOf: (subject: string, constraint: ConstraintRecord) => readonly Way[];
}

/** How many of its roles are too many. */
export function cardinalityOf({ cardinality = 2 }: ConstraintRecord): number {
  return cardinality;
}

/** Whether a constraint is one that this file looks at, and makes sense. */
export function isStatic(constraint: ConstraintRecord): boolean {
  return constraint.dynamic !== true && cardinalityOf(constraint) >= 2;
}

export function createSeparation(constraints: readonly ConstraintRecord[], graph: Authorisations): Separation {
  const sets = createRoleSets();
  const numbers = new Map<string, number>();
  for (const role of constraints.flatMap(({ roles }) => roles)) {
    if (!numbers.has(role)) numbers.set(role, numbers.size);
  }
  const violated = createJudge(constraints, numbers, sets);
  const reachedFrom = createReach(sets, graph.includesOf, (role) => {
    const number = numbers.get(role);
    return number === undefined ? emptySet : sets.of(number);
  });
  const heldOf = createReach(sets, graph.groupsOf, (principal) => {
    let set = emptySet;
    for (const role of graph.rolesOf(principal)) set = sets.union(set, reachedFrom(role));
    return set;
  });

  /** What a wildcard gives to those that it stands for. */
  const givenBy = (wildcard: string) => {
    return wildcard === everyone ? heldOf(everyone) : sets.union(heldOf(wildcard), heldOf(everyone));
  };

  function violatedBy(subject: string): readonly ConstraintRecord[] {
    const held = heldOf(subject);
    const wildcards = wildcardsOf(subject);
    const found = violated(wildcards.reduce((sum, wildcard) => sets.union(sum, heldOf(wildcard)), held));
    if (found.length === 0) return found;
    // Groups come first: a wildcard may be a member of the very group that it would excuse.
    const alone = new Set(violated(held));
    const byGroup = new Set(graph.groupsOf(subject).flatMap((group) => violated(heldOf(group))));
    const byWildcard = new Set(wildcards.flatMap((wildcard) => violated(givenBy(wildcard))));
    return found.filter((constraint) => !(alone.has(constraint) ? byGroup : byWildcard).has(constraint));
  }

  function waysOf(subject: string, constraint: ConstraintRecord): readonly Way[] {
    const wanted = new Set(constraint.roles);
    const ways = new Map<string, Way>();
    for (const { principal, path } of walk(subject, graph)) {
      const here = new Map<string, string>();
      for (const bound of graph.rolesOf(principal)) {
        for (const number of sets.itemsOf(reachedFrom(bound))) {
          const role = names[number] as string;
          // A binding of the role itself says more than one of a role that includes it.
          if (wanted.has(role) && !ways.has(role) && (bound === role || !here.has(role))) here.set(role, bound);
        }
      }
      for (const [role, bound] of here) ways.set(role, { role, bound, principals: path() });
      if (ways.size >= cardinalityOf(constraint)) break;
    }
    const found = constraint.roles.flatMap((role) => ways.get(role) ?? []);
    return found.slice(0, cardinalityOf(constraint));
  }

  const names = [...numbers.keys()];
  const lists: (readonly string[])[] = [];
  const namesOf = (set: SetId) => {
    lists[set] ??= sets.itemsOf(set).map((number) => names[number] as string);
    return lists[set];
  };
  return {
    heldBy: (principal) => namesOf(heldOf(principal)),
    grantedBy: (role) => namesOf(reachedFrom(role)),
    violatedBy,
    waysOf,
  };
}

/** The wildcards that stand for a subject besides itself. A wildcard is judged as one whom nobody has named. */
export function wildcardsOf(subject: string): readonly string[] {
  if (subject === everyone) return [];
  if (subject === anonymous) return [everyone];
  const ofType = `${typeOf(subject)}:*`;
  return subject === ofType ? [everyone] : [ofType, everyone];
}

/** The constraints that a set of roles violates; each set is judged once. */
function createJudge(constraints: readonly ConstraintRecord[], numbers: ReadonlyMap<string, number>, sets: RoleSets) {
  const constraintsOn: ConstraintRecord[][] = Array.from(numbers, () => []);
  for (const constraint of constraints) {
    for (const role of new Set(constraint.roles)) constraintsOn[numbers.get(role) as number]?.push(constraint);
  }
  const known = new Map<SetId, readonly ConstraintRecord[]>();
  return (set: SetId): readonly ConstraintRecord[] => {
    let found = known.get(set);
    if (found === undefined) {
      const counts = new Map<ConstraintRecord, number>();
      for (const role of sets.itemsOf(set)) {
        for (const constraint of constraintsOn[role] ?? []) counts.set(constraint, (counts.get(constraint) ?? 0) + 1);
      }
      found = [...counts].filter(([one, count]) => count >= cardinalityOf(one)).map(([one]) => one);
      known.set(set, found);
    }
    return found;
  };
}

interface Frame {
  readonly node: string;
  readonly above: readonly string[];
  next: number;
  set: SetId;
}

/** What a node has itself or gets from above, at any distance. Each node is worked out once. */
function createReach(
  sets: RoleSets,
  aboveOf: (node: string) => readonly string[],
  ownOf: (node: string) => SetId,
): (node: string) => SetId {
  const known = new Map<string, SetId>();
  const open = (node: string): Frame => ({ node, above: aboveOf(node), next: 0, set: ownOf(node) });
  return (start) => {
    const answer = known.get(start);
    if (answer !== undefined) return answer;
    const begun = new Set([start]);
    const stack = [open(start)];
    for (let frame = stack[0] as Frame; ; frame = stack.at(-1) as Frame) {
      const node = frame.above[frame.next++];
      if (node === undefined) {
        known.set(frame.node, frame.set);
        stack.pop();
        const below = stack.at(-1);
        if (below === undefined) return frame.set;
        below.set = sets.union(below.set, frame.set);
        continue;
      }
      const set = known.get(node);
      if (set !== undefined) frame.set = sets.union(frame.set, set);
      else if (!begun.has(node)) {
        begun.add(node);
        stack.push(open(node));
      }
    }
  };
}

interface Step {
  readonly principal: string;
  /** From the subject to the principal. */
  readonly path: () => readonly string[];
}

/** The principals of a subject: its own groups, nearest first, then its wildcards and theirs. */
function* walk(subject: string, graph: Authorisations): Generator<Step, void> {
  const from = new Map<string, string | undefined>([[subject, undefined]]);
  const pathTo = (node: string) => {
    const path: string[] = [];
    for (let at: string | undefined = node; at !== undefined; at = from.get(at)) path.push(at);
    return path.reverse();
  };
  const queue = [subject];
  const wildcards = wildcardsOf(subject);
  let next = 0;
  for (let i = 0; i <= wildcards.length; i++) {
    for (; next < queue.length; next++) {
      const principal = queue[next] as string;
      yield { principal, path: () => pathTo(principal) };
      for (const group of graph.groupsOf(principal)) {
        if (from.has(group)) continue;
        from.set(group, principal);
        queue.push(group);
      }
    }
    const wildcard = wildcards[i];
    if (wildcard === undefined || from.has(wildcard)) continue;
    from.set(wildcard, subject);
    queue.push(wildcard);
  }
}
