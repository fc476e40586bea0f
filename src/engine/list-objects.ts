/**
 * On which objects may this subject do this action? Candidates come from the
 * subject's bindings, downwards; each is then weighed as Check would weigh it.
 * Objects come in the order of their nodes, which never changes while the
 * process lives, so that a page goes on where the last one ended even if the
 * graph has changed in between.
 */
import { type Binding, scopeOfNode } from '../graph/binding.ts';
import { at } from '../graph/paged.ts';
import { grantsOnWholeType, mayGrant } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Query } from '../model/query.ts';
import { formatScope, type Scope } from '../model/scope.ts';
import { type ActiveRoles, activeRolesOf, partsOf } from './active-roles.ts';
import { isAllowed, weigh } from './decide.ts';
import { sharedWalk, type Walk } from './walk.ts';

/** A question about all objects of a type. */
export type ObjectQuestion = Omit<Query, 'object'>;

// At about 0.5 us an object, a part holds the event loop for 5 ms at most.
const mostWeighedInPart = 10_000;

/** A list in progress, pinned to one snapshot and time. */
export class ObjectScan {
  /** Whole scopes on which the action is granted, as sorted canonical texts. */
  readonly scopes: readonly string[];
  readonly #snapshot: Snapshot;
  readonly #question: ObjectQuestion;
  readonly #active: ActiveRoles | undefined;
  readonly #nowMs: number;
  readonly #nodes: readonly number[];
  readonly #end: number;
  readonly #candidates: CandidateSet;
  #next: number;

  /**
   * @param after The `position` at which an earlier scan stopped; -1 from the start.
   * @throws PosternError ROLES_CONFLICT, unless the mode is off
   */
  constructor(snapshot: Snapshot, question: ObjectQuestion, type: string, nowMs: number, after: number) {
    const typeId = snapshot.names.findType(type);
    this.#snapshot = snapshot;
    this.#question = question;
    this.#active = snapshot.mode === 'off' ? undefined : activeRolesOf(snapshot, question.activeRoles);
    this.#nowMs = nowMs;
    this.#nodes = typeId < 0 ? [] : (snapshot.names.nodesByType[typeId] as number[]);
    this.#end = this.#nodes.length;
    this.#next = firstAfter(this.#nodes, after);
    if (snapshot.mode === 'enforce') {
      const candidates = new Candidates(snapshot, question, this.#active, type, nowMs);
      this.#candidates = candidates;
      this.scopes = candidates.scopeTexts();
    } else {
      this.#candidates = everything;
      this.scopes = ['*'];
    }
  }

  get done(): boolean {
    return this.#next >= this.#end;
  }

  /** The node of the last object that was looked at; pass it as `after` to go on from here. */
  get position(): number {
    return this.#next === 0 ? -1 : (this.#nodes[this.#next - 1] as number);
  }

  /** The next objects, at most `most`; may be empty before the scan is done. */
  nextPart(most: number): string[] {
    const part: string[] = [];
    const { names } = this.#snapshot;
    const enforced = this.#snapshot.mode === 'enforce';
    if (enforced) expandAsker(this.#snapshot, this.#question, this.#active, this.#nowMs);
    for (let weighed = 0; this.#next < this.#end && part.length < most && weighed < mostWeighedInPart; this.#next++) {
      const node = this.#nodes[this.#next] as number;
      if (!this.#candidates.has(node) || !isKnownObject(this.#snapshot, node)) continue;
      weighed++;
      if (!enforced || this.#isAllowed(node)) part.push(names.nodes[node] as string);
    }
    return part;
  }

  #isAllowed(node: number): boolean {
    const object = this.#snapshot.names.nodes[node] as string;
    sharedWalk.expandObject(this.#snapshot, object, node, this.#question.action);
    return isAllowed(weigh(this.#snapshot, sharedWalk, this.#question.reach, this.#nowMs));
  }
}

/** Whether a graph knows an object: registered, named by a binding's scope, or named as a parent. */
export function isKnownObject(snapshot: Snapshot, node: number): boolean {
  if (at(snapshot.registered, node) === true) return true;
  const named = at(snapshot.bindingsAt, node) !== undefined || at(snapshot.childrenOf, node) !== undefined;
  return named && scopeOfNode(snapshot.names.nodes[node] as string).kind === 'object';
}

interface CandidateSet {
  has(node: number): boolean;
}

/** Nodes that some binding of the subject can reach: all that are allowed, and perhaps more. */
class Candidates implements CandidateSet {
  #all = false;
  readonly #marked: Uint8Array;
  readonly #scopes = new Map<number, Scope>();

  constructor(
    snapshot: Snapshot,
    question: ObjectQuestion,
    active: ActiveRoles | undefined,
    type: string,
    nowMs: number,
  ) {
    this.#marked = new Uint8Array(snapshot.names.nodes.length);
    expandAsker(snapshot, question, active, nowMs);
    sharedWalk.expandType(snapshot, type, question.action);
    for (const principal of sharedWalk.principals) {
      for (const chunk of at(snapshot.bindingsOf, principal)?.chunks ?? []) {
        for (const binding of chunk) {
          const expired = binding.expiresAt !== 0 && nowMs >= binding.expiresAt;
          if (!binding.deny && !expired) this.#add(snapshot, binding, question, sharedWalk);
        }
      }
    }
  }

  has(node: number): boolean {
    return this.#all || this.#marked[node] !== 0;
  }

  scopeTexts(): string[] {
    return [...new Set([...this.#scopes.values()].map(formatScope))].sort();
  }

  #add(snapshot: Snapshot, binding: Binding, question: ObjectQuestion, target: Walk): void {
    const parts = partsOf(snapshot, target.active, binding);
    if (!parts.some((part) => mayGrant(part, target))) return;
    const scope = scopeOfNode(snapshot.names.nodes[binding.scope] as string);
    if (scope.kind === 'object') {
      this.#mark(snapshot, binding.scope, binding.cascade && question.reach === 'inherited');
    } else if (question.reach === 'inherited' && (scope.kind === 'tenant' || scope.type === target.type)) {
      this.#all = true;
      // A condition may look at the object, so nothing can be said of the scope as a whole.
      const unconditional = binding.extra?.condition === undefined;
      if (unconditional && parts.some((part) => grantsOnWholeType(part, target))) {
        this.#scopes.set(binding.scope, scope);
      }
    }
  }

  #mark(snapshot: Snapshot, node: number, withDescendants: boolean): void {
    const open = [node];
    for (let top = open.pop(); top !== undefined; top = open.pop()) {
      if (this.#marked[top] === descended) continue;
      if (!withDescendants) {
        this.#marked[top] = reached;
        continue;
      }
      this.#marked[top] = descended;
      for (const chunk of at(snapshot.childrenOf, top)?.chunks ?? []) {
        for (const edge of chunk) if (edge.inherit) open.push(edge.node);
      }
    }
  }
}

// Marks: only the node itself is a candidate, or its descendants have been marked too.
const reached = 1;
const descended = 2;

const everything: CandidateSet = { has: () => true };

function expandAsker(
  snapshot: Snapshot,
  question: ObjectQuestion,
  active: ActiveRoles | undefined,
  nowMs: number,
): void {
  const { subject, assertedGroups, attributes } = question;
  const node = snapshot.names.findNode(subject);
  sharedWalk.expandSubject(snapshot, subject, node, assertedGroups, attributes, nowMs, active);
}

function firstAfter(ascending: readonly number[], after: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
