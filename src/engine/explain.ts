/**
 * Why a decision is what it is: the same walk and the same weighing as Check,
 * then the steps by which they reached the deciding binding, read backwards.
 */
import { type Binding, keyOfBinding, scopeOfNode } from '../graph/binding.ts';
import { grantingPermission, type Role } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Query, Verdict } from '../model/query.ts';
import { formatScope } from '../model/scope.ts';
import { decidingBinding, toVerdict, weigh } from './decide.ts';
import { origin, type Walk, walkFor } from './walk.ts';

export interface Step {
  readonly from: string;
  readonly to: string;
  readonly asserted: boolean;
}

export interface Path {
  /** From the subject to the binding's subject; empty when bound directly. */
  readonly subjectSteps: readonly Step[];
  readonly binding: string;
  readonly effect: 'allow' | 'deny';
  /** The bound role, then included ones, down to that which holds the permission. */
  readonly roles: readonly string[];
  /** Empty when no permission matched. */
  readonly permission: string;
  /** Canonical text. */
  readonly scope: string;
  /** The binding's condition; empty without one. */
  readonly condition: string;
  /** From the object up to the scope; empty when the scope reaches it without an ancestor. */
  readonly objectSteps: readonly Step[];
}

export interface ExplainedVerdict {
  readonly verdict: Verdict;
  /** Undefined when no binding reaches at all. */
  readonly path: Path | undefined;
}

export function explain(snapshot: Snapshot, query: Query, nowMs: number): ExplainedVerdict {
  const walk = walkFor(snapshot, query, nowMs);
  const weighing = weigh(snapshot, walk, query.reach, nowMs);
  const binding = decidingBinding(weighing);
  const path = binding === undefined ? undefined : pathThrough(snapshot, walk, binding, query);
  return { verdict: toVerdict(weighing, snapshot), path };
}

function pathThrough(snapshot: Snapshot, walk: Walk, binding: Binding, query: Query): Path {
  const { names } = snapshot;
  const granted = roleChain(snapshot, binding.role, walk);
  return {
    subjectSteps: subjectSteps(snapshot, walk, binding.principal, query.subject),
    binding: keyOfBinding(binding, names),
    effect: binding.deny ? 'deny' : 'allow',
    roles: granted?.roles ?? [names.roles[binding.role] as string],
    permission: granted?.permission ?? '',
    scope: formatScope(scopeOfNode(names.nodes[binding.scope] as string)),
    condition: binding.extra?.condition?.text ?? '',
    objectSteps: objectSteps(snapshot, walk, binding.scope),
  };
}

function subjectSteps(snapshot: Snapshot, walk: Walk, principal: number, subject: string): Step[] {
  const { nodes } = snapshot.names;
  const steps: Step[] = [];
  let position = walk.principals.indexOf(principal);
  for (
    let from = walk.principalFrom[position] as number;
    from !== origin.self;
    from = walk.principalFrom[position] as number
  ) {
    const to = nodes[walk.principals[position] as number] as string;
    if (from < 0) {
      steps.unshift({ from: subject, to, asserted: from === origin.asserted });
      return steps;
    }
    steps.unshift({ from: nodes[walk.principals[from] as number] as string, to, asserted: false });
    position = from;
  }
  return steps;
}

function objectSteps(snapshot: Snapshot, walk: Walk, scope: number): Step[] {
  const { nodes } = snapshot.names;
  const steps: Step[] = [];
  let position = walk.scopes.indexOf(scope);
  for (let from = walk.scopeFrom[position] as number; from >= 0; from = walk.scopeFrom[position] as number) {
    const step = {
      from: nodes[walk.scopes[from] as number] as string,
      to: nodes[walk.scopes[position] as number] as string,
      asserted: false,
    };
    steps.unshift(step);
    position = from;
  }
  return steps;
}

/** The shortest chain of inclusions from a role to one whose own permissions grant the target. */
function roleChain(snapshot: Snapshot, start: number, walk: Walk): { roles: string[]; permission: string } | undefined {
  const { names, options, roles } = snapshot;
  const from = new Map([[start, -1]]);
  for (const [id] of from) {
    const role: Role | undefined = roles[id];
    if (role === undefined) continue;
    const permission = grantingPermission(role, walk, names, options.compileRegex);
    if (permission !== undefined) {
      const chain: string[] = [];
      for (let at = id; at >= 0; at = from.get(at) as number) chain.unshift(names.roles[at] as string);
      return { roles: chain, permission };
    }
    for (const included of role.record.includes ?? []) {
      const next = names.findRole(included);
      if (next >= 0 && !from.has(next)) from.set(next, id);
    }
  }
  return undefined;
}
