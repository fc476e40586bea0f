/**
 * Why a decision is what it is: the same walk and the same weighing as Check,
 * then the steps by which they reached the deciding binding, read backwards.
 */
import { type Binding, keyOfBinding, scopeOfNode } from '../graph/binding.ts';
import { grantingPermission, type Role } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Query, Verdict } from '../model/query.ts';
import { formatScope } from '../model/scope.ts';
import type { ActiveRoles } from './active-roles.ts';
import { decidingBinding, toVerdict, weigh } from './decide.ts';
import { origin } from './reached.ts';
import { type Walk, walkFor } from './walk.ts';

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
  /** The bound role, then included ones, through an active one, down to that which holds the permission. */
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

/** @throws PosternError what decide throws, naming a field behind `fieldPrefix` */
export function explain(snapshot: Snapshot, query: Query, nowMs: number, fieldPrefix = ''): ExplainedVerdict {
  const walk = walkFor(snapshot, query, nowMs, fieldPrefix);
  const weighing = weigh(snapshot, walk, query.reach, nowMs);
  const binding = decidingBinding(weighing);
  const path = binding === undefined ? undefined : pathThrough(snapshot, walk, binding, query);
  return { verdict: toVerdict(weighing, snapshot), path };
}

function pathThrough(snapshot: Snapshot, walk: Walk, binding: Binding, query: Query): Path {
  const { names } = snapshot;
  const granted = roleChain(snapshot, binding.role, walk, binding.deny ? undefined : walk.active);
  return {
    subjectSteps: subjectSteps(snapshot, walk, binding.principal, query.subject),
    binding: keyOfBinding(binding, names),
    effect: binding.deny ? 'deny' : 'allow',
    roles: granted?.roles ?? [names.roles[binding.role] as string],
    permission: granted?.permission ?? '',
    scope: formatScope(scopeOfNode(names.nodeName(binding.scope))),
    condition: binding.extra?.condition?.text ?? '',
    objectSteps: objectSteps(snapshot, walk, binding.scope),
  };
}

function subjectSteps(snapshot: Snapshot, walk: Walk, principal: number, subject: string): Step[] {
  const { names } = snapshot;
  const steps: Step[] = [];
  let position = walk.principals.positionOf(principal);
  for (let from = walk.principals.fromOf(position); from !== origin.self; from = walk.principals.fromOf(position)) {
    const to = names.nodeName(walk.principals.at(position));
    if (from < 0) {
      steps.unshift({ from: subject, to, asserted: from === origin.asserted });
      return steps;
    }
    steps.unshift({ from: names.nodeName(walk.principals.at(from)), to, asserted: false });
    position = from;
  }
  return steps;
}

function objectSteps(snapshot: Snapshot, walk: Walk, scope: number): Step[] {
  const { names } = snapshot;
  const steps: Step[] = [];
  let position = walk.scopes.positionOf(scope);
  for (let from = walk.scopes.fromOf(position); from >= 0; from = walk.scopes.fromOf(position)) {
    const step = {
      from: names.nodeName(walk.scopes.at(from)),
      to: names.nodeName(walk.scopes.at(position)),
      asserted: false,
    };
    steps.unshift(step);
    position = from;
  }
  return steps;
}

/** A role of a chain, and whether it or one before it is active: only then its permissions count. */
interface Link {
  readonly role: number;
  readonly active: boolean;
  readonly before: Link | undefined;
}

/** The shortest chain of inclusions from a role, through an active one, to one whose own permissions grant the target. */
function roleChain(
  snapshot: Snapshot,
  start: number,
  walk: Walk,
  active: ActiveRoles | undefined,
): { roles: string[]; permission: string } | undefined {
  const { names, options, roles } = snapshot;
  const links: Link[] = [];
  const seen = new Set<number>();
  const add = (role: number, before: Link | undefined) => {
    const isActive = active === undefined || before?.active === true || active.ids.has(role);
    // A role that was met inactive may be met again behind an active one.
    const key = role * 2 + (isActive ? 1 : 0);
    if (role < 0 || seen.has(key)) return;
    seen.add(key);
    links.push({ role, active: isActive, before });
  };
  add(start, undefined);
  for (const link of links) {
    const role: Role | undefined = roles[link.role];
    if (role === undefined) continue;
    const permission = link.active ? grantingPermission(role, walk, names, options.compileRegex) : undefined;
    if (permission !== undefined) return { roles: namesOf(link, names.roles), permission };
    for (const included of role.record.includes ?? []) add(names.findRole(included), link);
  }
  return undefined;
}

function namesOf(last: Link, roles: readonly string[]): string[] {
  const chain: string[] = [];
  for (let link: Link | undefined = last; link !== undefined; link = link.before) {
    chain.unshift(roles[link.role] as string);
  }
  return chain;
}
