/**
 * On which objects may this subject do this action? Candidates come from the
 * subject's bindings, downwards; each is then weighed as Check would weigh it.
 * Objects come in the order of their nodes, which changes only where a graph is
 * loaded or folded, so that a page goes on where the last one ended even if the
 * graph has changed in between.
 */

import { type Binding, scopeOfNode } from '../graph/binding.ts';
import { chunksOf } from '../graph/chunked.ts';
import type { NodeList } from '../graph/names.ts';
import { at } from '../graph/paged.ts';
import { grantsOnWholeType, mayGrant } from '../graph/role.ts';
import { firstAfter } from '../graph/seek.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Query } from '../model/query.ts';
import { formatScope, type Scope } from '../model/scope.ts';
import { type ActiveRoles, activeRolesOf, partsOf } from './active-roles.ts';
import { isAllowed, weigh } from './decide.ts';
import { lookUnits, Pace, type Steps, weighUnits } from './steps.ts';
import { sharedWalk, type Walk } from './walk.ts';

/** A question about all objects of a type. */
export type ObjectQuestion = Omit<Query, 'object'>;

/**
 * Finds what a list has to look at, in steps.
 * @param after The `position` at which an earlier scan stopped; -1 from the start.
 * @throws PosternError ROLES_CONFLICT from the first step, unless the mode is off
 */
export function* scanObjects(
  snapshot: Snapshot,
  question: ObjectQuestion,
  type: string,
  nowMs: number,
  after: number,
): Steps<ObjectScan> {
  const active = snapshot.mode === 'off' ? undefined : activeRolesOf(snapshot, question.activeRoles);
  const asker = { snapshot, question, active, nowMs };
  if (snapshot.mode !== 'enforce') return new ObjectScan(asker, type, after, everything, ['*']);
  const candidates = new Candidates(asker, type);
  yield* candidates.gather();
  return new ObjectScan(asker, type, after, candidates, candidates.scopeTexts());
}

/** A list in progress, pinned to one snapshot and time. */
export class ObjectScan {
  /** Whole scopes on which the action is granted, as sorted canonical texts. */
  readonly scopes: readonly string[];
  readonly #asker: Asker;
  readonly #nodes: NodeList;
  readonly #end: number;
  readonly #candidates: CandidateSet;
  #next: number;

  constructor(asker: Asker, type: string, after: number, candidates: CandidateSet, scopes: readonly string[]) {
    const { names } = asker.snapshot;
    this.#asker = asker;
    this.#nodes = names.nodesOfType(names.findType(type));
    this.#end = this.#nodes.length;
    this.#next = firstAfter(this.#nodes, after);
    this.#candidates = candidates;
    this.scopes = scopes;
  }

  get done(): boolean {
    return this.#next >= this.#end;
  }

  /** The node of the last object that was looked at; pass it as `after` to go on from here. */
  get position(): number {
    return this.#next === 0 ? -1 : this.#nodes.at(this.#next - 1);
  }

  /** Adds the next objects to a list until that has `most`, there are no more, or a step's work is done. */
  fill(part: string[], most: number): void {
    const { snapshot } = this.#asker;
    const enforced = snapshot.mode === 'enforce';
    const pace = new Pace();
    if (enforced) expandAsker(this.#asker);
    while (this.#next < this.#end && part.length < most) {
      const node = this.#nodes.at(this.#next++);
      const candidate = this.#candidates.has(node) && isKnownObject(snapshot, node);
      if (candidate && (!enforced || this.#isAllowed(node))) part.push(snapshot.names.nodeName(node));
      if (pace.spend(candidate ? weighUnits : lookUnits)) return;
    }
  }

  #isAllowed(node: number): boolean {
    const { snapshot, question, nowMs } = this.#asker;
    const object = snapshot.names.nodeName(node);
    sharedWalk.expandObject(snapshot, object, node, question.action);
    return isAllowed(weigh(snapshot, sharedWalk, question.reach, nowMs));
  }
}

/** Who asks, about which graph, and when. */
interface Asker {
  readonly snapshot: Snapshot;
  readonly question: ObjectQuestion;
  readonly active: ActiveRoles | undefined;
  readonly nowMs: number;
}

/** Whether a graph knows an object: registered, named by a binding's scope, or named as a parent. */
export function isKnownObject(snapshot: Snapshot, node: number): boolean {
  if (at(snapshot.registered, node) === true) return true;
  const named = at(snapshot.bindingsAt, node) !== undefined || at(snapshot.childrenOf, node) !== undefined;
  return named && scopeOfNode(snapshot.names.nodeName(node)).kind === 'object';
}

interface CandidateSet {
  has(node: number): boolean;
}

/** Nodes that some binding of the subject can reach: all that are allowed, and perhaps more. */
class Candidates implements CandidateSet {
  #all = false;
  readonly #asker: Asker;
  readonly #type: string;
  readonly #marked: Uint8Array;
  readonly #scopes = new Map<number, Scope>();
  /** Objects that are marked with what is below them, and have to be looked at still. */
  readonly #open: number[] = [];

  constructor(asker: Asker, type: string) {
    this.#asker = asker;
    this.#type = type;
    this.#marked = new Uint8Array(asker.snapshot.names.nodeCount);
  }

  *gather(): Steps<void> {
    const { snapshot, nowMs } = this.#asker;
    const pace = new Pace();
    this.#expand();
    for (const principal of sharedWalk.principals.toArray()) {
      for (const chunk of chunksOf(at(snapshot.bindingsOf, principal))) {
        for (const binding of chunk) {
          const expired = binding.expiresAt !== 0 && nowMs >= binding.expiresAt;
          if (!binding.deny && !expired) this.#add(binding, sharedWalk);
        }
        if (pace.spend(chunk.length * lookUnits)) {
          yield;
          this.#expand();
        }
      }
    }
    yield* this.#descend(pace);
  }

  #expand(): void {
    expandAsker(this.#asker);
    sharedWalk.expandType(this.#asker.snapshot, this.#type, this.#asker.question.action);
  }

  has(node: number): boolean {
    return this.#all || this.#marked[node] !== 0;
  }

  scopeTexts(): string[] {
    return [...new Set([...this.#scopes.values()].map(formatScope))].sort();
  }

  #add(binding: Binding, target: Walk): void {
    const { snapshot, question } = this.#asker;
    const parts = partsOf(snapshot, target.active, binding);
    if (!parts.some((part) => mayGrant(part, target))) return;
    const scope = scopeOfNode(snapshot.names.nodeName(binding.scope));
    if (scope.kind === 'object') {
      if (binding.cascade && question.reach === 'inherited') this.#open.push(binding.scope);
      else if (this.#marked[binding.scope] === 0) this.#marked[binding.scope] = reached;
    } else if (question.reach === 'inherited' && (scope.kind === 'tenant' || scope.type === target.type)) {
      this.#all = true;
      // A condition may look at the object, so nothing can be said of the scope as a whole.
      const unconditional = binding.extra?.condition === undefined;
      if (unconditional && parts.some((part) => grantsOnWholeType(part, target))) {
        this.#scopes.set(binding.scope, scope);
      }
    }
  }

  /** Marks the objects that are open, and all below them. */
  *#descend(pace: Pace): Steps<void> {
    const { snapshot } = this.#asker;
    const open = this.#open;
    for (let top = open.pop(); top !== undefined; top = open.pop()) {
      if (pace.spend(lookUnits)) yield;
      if (this.#marked[top] === descended) continue;
      this.#marked[top] = descended;
      for (const chunk of chunksOf(at(snapshot.childrenOf, top))) {
        for (const edge of chunk) if (edge.inherit) open.push(edge.node);
        if (pace.spend(chunk.length * lookUnits)) yield;
      }
    }
  }
}

// Marks: only the node itself is a candidate, or its descendants have been marked too.
const reached = 1;
const descended = 2;

const everything: CandidateSet = { has: () => true };

function expandAsker({ snapshot, question, active, nowMs }: Asker): void {
  const { subject, assertedGroups, attributes } = question;
  const node = snapshot.names.findNode(subject);
  sharedWalk.expandSubject(snapshot, subject, node, assertedGroups, attributes, nowMs, active);
}
