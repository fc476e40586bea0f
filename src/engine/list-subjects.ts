/**
 * Who may do this action on this object? Candidates come from the bindings that
 * reach the object, down through group members; each is then weighed as Check
 * would weigh it. Order and paging are as in list-objects.ts.
 */

import type { Binding } from '../graph/binding.ts';
import { chunksOf } from '../graph/chunked.ts';
import { rootNode } from '../graph/names.ts';
import { at } from '../graph/paged.ts';
import { grantsPermission } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Attributes } from '../model/condition.ts';
import type { Reach } from '../model/query.ts';
import { isAllowed, weigh } from './decide.ts';
import { lookUnits, Pace, type Steps, weighUnits } from './steps.ts';
import { sharedWalk, type Walk } from './walk.ts';

export interface SubjectQuestion {
  readonly action: string;
  /** Empty asks about the tenant. */
  readonly object: string;
  readonly reach: Reach;
  /** What conditions see; they are asked about each subject by itself. */
  readonly attributes?: Attributes | undefined;
}

export interface SubjectPage {
  readonly subjects: readonly string[];
  /** Wildcard principals that are granted the action, sorted. */
  readonly wildcards: readonly string[];
  /** Pass as `after` for the next page; -1 when this was the last. */
  readonly position: number;
}

const noGroups: readonly string[] = [];

/**
 * One page of the subjects that are allowed, in steps.
 * @param type Type of the subjects; empty for every type.
 * @param after `position` of the page before; -1 for the first.
 * @param size The most subjects to return, at least 1.
 * @throws PosternError CONDITION_FAILED, from a step
 */
export function* listSubjects(
  snapshot: Snapshot,
  question: SubjectQuestion,
  type: string,
  nowMs: number,
  after: number,
  size: number,
): Steps<SubjectPage> {
  const enforced = snapshot.mode === 'enforce';
  const { names } = snapshot;
  const expandObject = () =>
    sharedWalk.expandObject(snapshot, question.object, names.findNode(question.object), question.action);
  // Names grow while this pauses; what comes later is of later snapshots.
  const ofType = type === '' ? undefined : names.nodesOfType(names.findType(type));
  const end = ofType === undefined ? names.nodeCount : ofType.length;
  const pace = new Pace();
  expandObject();
  const holders = enforced ? yield* holdersOf(snapshot, expandObject, question.reach, nowMs, pace) : undefined;
  const wildcards = holders === undefined ? ['*'] : wildcardsAmong(snapshot, holders, type);
  const subjects: string[] = [];
  let last = -1;
  for (let i = 0; i < end; i++) {
    if (pace.spend(lookUnits)) {
      yield;
      expandObject();
    }
    const node = ofType === undefined ? i : ofType.at(i);
    if (node <= after || !isKnownSubject(snapshot, node)) continue;
    if (holders !== undefined && !isCandidate(snapshot, holders, node)) continue;
    if (holders !== undefined) {
      if (pace.spend(weighUnits)) {
        yield;
        expandObject();
      }
      sharedWalk.expandSubject(snapshot, names.nodeName(node), node, noGroups, question.attributes, nowMs);
      if (!isAllowed(weigh(snapshot, sharedWalk, question.reach, nowMs))) continue;
    }
    if (subjects.length === size) return { subjects, wildcards, position: last };
    subjects.push(names.nodeName(node));
    last = node;
  }
  return { subjects, wildcards, position: -1 };
}

/** Whether a graph knows a subject: as a member of a group, or in a binding. Wildcards are not subjects. */
export function isKnownSubject(snapshot: Snapshot, node: number): boolean {
  const named = at(snapshot.groupsOf, node) !== undefined || at(snapshot.bindingsOf, node) !== undefined;
  return named && !isWildcard(snapshot, node);
}

function isWildcard(snapshot: Snapshot, node: number): boolean {
  const type = snapshot.names.nodeType(node);
  return node === rootNode || (type >= 0 && snapshot.names.typeWildcards[type] === node);
}

// Marks: whoever holds a granting binding, and whoever holds one without a condition.
const candidate = 1;
const unconditional = 2;

/**
 * Marks, by node, the principals of granting bindings that reach the object, and all their members.
 * @param expandObject Fills the shared walk with the object again, after a pause.
 */
function* holdersOf(
  snapshot: Snapshot,
  expandObject: () => void,
  reach: Reach,
  nowMs: number,
  pace: Pace,
): Steps<Uint8Array> {
  const marked = new Uint8Array(snapshot.names.nodeCount);
  const open: { readonly [mark: number]: number[] } = { [candidate]: [], [unconditional]: [] };
  const scopes = reach === 'exact' ? [sharedWalk.objectNode] : sharedWalk.scopes.toArray();
  for (const scope of scopes) {
    if (scope < 0) continue;
    for (const chunk of chunksOf(at(snapshot.bindingsAt, scope))) {
      for (const binding of chunk) {
        const mark = binding.extra?.condition === undefined ? unconditional : candidate;
        if (applies(snapshot, sharedWalk, binding, nowMs)) (open[mark] as number[]).push(binding.principal);
      }
      if (pace.spend(chunk.length * lookUnits)) {
        yield;
        expandObject();
      }
    }
  }
  for (const mark of [unconditional, candidate]) {
    yield* spread(snapshot, marked, open[mark] as number[], mark, nowMs, pace);
  }
  expandObject();
  return marked;
}

/** Marks nodes and all their members, except where a mark is at least as high already. */
function* spread(
  snapshot: Snapshot,
  marked: Uint8Array,
  open: number[],
  mark: number,
  nowMs: number,
  pace: Pace,
): Steps<void> {
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (pace.spend(lookUnits)) yield;
    if ((marked[node] as number) >= mark) continue;
    marked[node] = mark;
    for (const chunk of chunksOf(at(snapshot.membersOf, node))) {
      for (const edge of chunk) if (edge.expiresAt === 0 || nowMs < edge.expiresAt) open.push(edge.node);
      if (pace.spend(chunk.length * lookUnits)) yield;
    }
  }
}

function applies(snapshot: Snapshot, walk: Walk, binding: Binding, nowMs: number): boolean {
  if (binding.deny || (binding.expiresAt !== 0 && nowMs >= binding.expiresAt)) return false;
  if (!binding.cascade && binding.scope !== walk.objectNode) return false;
  const role = snapshot.roles[binding.role];
  return role !== undefined && grantsPermission(role.grants, walk);
}

function isCandidate(snapshot: Snapshot, holders: Uint8Array, node: number): boolean {
  if (holders[node] !== 0 || holders[rootNode] !== 0) return true;
  const type = snapshot.names.nodeType(node);
  const wildcard = type < 0 ? -1 : (snapshot.names.typeWildcards[type] as number);
  return wildcard >= 0 && holders[wildcard] !== 0;
}

function wildcardsAmong(snapshot: Snapshot, holders: Uint8Array, type: string): string[] {
  const { names } = snapshot;
  const wildcards = holders[rootNode] === unconditional ? ['*'] : [];
  for (const [typeId, node] of names.typeWildcards.entries()) {
    const asked = type === '' || names.types[typeId] === type;
    if (asked && node >= 0 && holders[node] === unconditional) wildcards.push(names.nodeName(node));
  }
  return wildcards.sort();
}
