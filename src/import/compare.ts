/**
 * An old system's rules against the graph that replaces them, for every subject
 * and every question that the old system could answer. Called by `postern import`
 * and by the importers' tests. It decides with the engine itself, and must never
 * explain a difference away: what differs is named.
 */

import { graphOptions } from '../condition/graph-options.ts';
import { isAllowed, weigh } from '../engine/decide.ts';
import { sharedWalk } from '../engine/walk.ts';
import { applyChanges } from '../graph/apply.ts';
import { emptySnapshot, type Snapshot } from '../graph/snapshot.ts';
import { type EntityRecord, entityKinds } from '../model/entity.ts';
import type { Import, Leftover, OldQuestion } from './importer.ts';
import { textsInOrder } from './in-order.ts';

/** One action, and the objects on which its answer is another one now; an empty object is the tenant. */
export interface Difference {
  readonly action: string;
  /** Sorted, without repetitions. */
  readonly objects: readonly string[];
}

/** What changes for one subject. */
export interface SubjectDifferences {
  readonly subject: string;
  /** Denied before, allowed now; sorted by action. */
  readonly widened: readonly Difference[];
  /** Allowed before, denied now; sorted by action. */
  readonly narrowed: readonly Difference[];
  readonly leftovers: readonly Leftover[];
}

export interface Comparison {
  /** Those for whom something changes or is left over, sorted by subject; the subject is empty for what is nobody's. */
  readonly differences: readonly SubjectDifferences[];
  /** How many subjects were asked about. */
  readonly subjects: number;
  /** How many questions were asked about each. */
  readonly questions: number;
  /** Decisions that are another now. */
  readonly widened: number;
  readonly narrowed: number;
  readonly leftovers: number;
}

/**
 * Asks both about everything: subjects times questions decisions, at some tenths of a microsecond each and what
 * the old rules take.
 * @param nowMs Milliseconds since 1970: the time at which the graph is asked.
 * @throws PosternError INVALID_POLICY where the records do not compile
 */
export function compare({ records, rules, leftovers }: Import, nowMs: number): Comparison {
  const snapshot = toSnapshot(records);
  const questions = withNodes(snapshot, rules.questions);
  const leftOf = Map.groupBy(leftovers, ({ subject }) => subject);
  const subjects = new Set(rules.subjects);
  const differences: SubjectDifferences[] = [];
  const totals = { widened: 0, narrowed: 0 };
  for (const subject of textsInOrder([...subjects, ...leftOf.keys()])) {
    const left = leftOf.get(subject) ?? [];
    const widened = new Differences();
    const narrowed = new Differences();
    // A subject that only leftovers name is not one that was asked about.
    if (subjects.has(subject)) {
      sharedWalk.expandSubject(snapshot, subject, snapshot.names.findNode(subject), [], undefined, nowMs);
      for (const { question, node } of questions) {
        sharedWalk.expandObject(snapshot, question.object, node, question.action);
        const after = isAllowed(weigh(snapshot, sharedWalk, 'inherited', nowMs));
        if (after === rules.allows(subject, question)) continue;
        (after ? widened : narrowed).add(question);
      }
    }
    totals.widened += widened.count;
    totals.narrowed += narrowed.count;
    if (widened.count + narrowed.count + left.length === 0) continue;
    differences.push({ subject, widened: widened.sorted(), narrowed: narrowed.sorted(), leftovers: left });
  }
  return { differences, subjects: subjects.size, questions: questions.length, ...totals, leftovers: leftovers.length };
}

/** Whether the old rules and the graph are the same, with nothing left over. */
export function isSame({ widened, narrowed, leftovers }: Comparison): boolean {
  return widened + narrowed + leftovers === 0;
}

function toSnapshot(records: readonly EntityRecord[]): Snapshot {
  const inOrder = records.toSorted((a, b) => entityKinds.indexOf(a.kind) - entityKinds.indexOf(b.kind));
  const changes = inOrder.map((record) => ({ op: 'put' as const, record }));
  return applyChanges(emptySnapshot(graphOptions), changes, { epoch: 'import', number: 1 });
}

/** Each question once, its object looked up; those about one object are neighbours. */
function withNodes(snapshot: Snapshot, questions: readonly OldQuestion[]) {
  const once = new Map(questions.map((question) => [JSON.stringify([question.object, question.action]), question]));
  return textsInOrder(once.keys()).map((key) => {
    const question = once.get(key) as OldQuestion;
    return { question, node: snapshot.names.findNode(question.object) };
  });
}

class Differences {
  readonly #objects = new Map<string, string[]>();
  count = 0;

  add({ action, object }: OldQuestion): void {
    this.count++;
    const objects = this.#objects.get(action);
    if (objects === undefined) this.#objects.set(action, [object]);
    else objects.push(object);
  }

  sorted(): Difference[] {
    return textsInOrder(this.#objects.keys()).map((action) => ({
      action,
      objects: textsInOrder(this.#objects.get(action) ?? []),
    }));
  }
}
