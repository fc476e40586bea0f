/**
 * The engine behind the shapes of the reference: the one place in these tests
 * that knows how the engine is called. Lists are always read in small pages,
 * each by a call of its own, so that paging is held to the reference too.
 */

import { graphOptions } from '../../src/condition/graph-options.ts';
import { decide } from '../../src/engine/decide.ts';
import { type ExplainedVerdict, explain } from '../../src/engine/explain.ts';
import { listActions } from '../../src/engine/list-actions.ts';
import { scanObjects } from '../../src/engine/list-objects.ts';
import { listSubjects, type SubjectQuestion } from '../../src/engine/list-subjects.ts';
import { finish } from '../../src/engine/steps.ts';
import { applyChanges } from '../../src/graph/apply.ts';
import { flatten } from '../../src/graph/flat/flatten.ts';
import { snapshotOf } from '../../src/graph/flat/snapshot-of.ts';
import { recordsOf } from '../../src/graph/records.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { Query, Verdict } from '../../src/model/query.ts';

/** Elements in a page: few, so that small graphs have several pages. */
const pageSize = 2;

/** A snapshot of nothing. */
export function emptyEngine(): Snapshot {
  return emptySnapshot(graphOptions);
}

/** A snapshot of these records, put in this order, as one change set. */
export function engineOf(records: readonly EntityRecord[]): Snapshot {
  return applyToEngine(
    emptyEngine(),
    records.map((record) => ({ op: 'put', record })),
    1,
  );
}

export function applyToEngine(snapshot: Snapshot, changes: readonly Change[], number: number): Snapshot {
  return applyChanges(snapshot, changes, { epoch: 'tests', number });
}

/** The same graph as if a sidecar had loaded it whole, instead of having followed what led to it. */
export function reloaded(snapshot: Snapshot): Snapshot {
  return snapshotOf(flatten(snapshot, snapshot.counts.bindings), snapshot.options, snapshot.revision);
}

/** How a snapshot may have come to be: `step` is done after every change set, `number` being its own. */
export const ways: readonly { readonly way: string; step(snapshot: Snapshot, number: number): Snapshot }[] = [
  { way: 'built by changes', step: (snapshot) => snapshot },
  { way: 'loaded whole', step: reloaded },
  { way: 'loaded whole and changed', step: (snapshot, number) => (number % 3 === 1 ? reloaded(snapshot) : snapshot) },
];

export function engineRecords(snapshot: Snapshot): readonly EntityRecord[] {
  return [...recordsOf(snapshot)];
}

export function engineCheck(snapshot: Snapshot, query: Query, now: number): Verdict {
  const { allowed, reason, binding } = decide(snapshot, query, now);
  return { allowed, reason, binding };
}

export function engineExplain(snapshot: Snapshot, query: Query, now: number): ExplainedVerdict {
  return explain(snapshot, query, now);
}

/** Objects in the order of the pages. */
export function engineObjects(
  snapshot: Snapshot,
  query: Omit<Query, 'object'>,
  type: string,
  now: number,
): { readonly objects: readonly string[]; readonly scopes: readonly string[] } {
  const objects: string[] = [];
  let scan = finish(scanObjects(snapshot, query, type, now, -1));
  const { scopes } = scan;
  while (!scan.done) {
    const part: string[] = [];
    scan.fill(part, pageSize);
    if (part.length > pageSize) throw new Error(`a page of ${pageSize} holds ${part.length}`);
    objects.push(...part);
    if (!scan.done) scan = finish(scanObjects(snapshot, query, type, now, scan.position));
  }
  return { objects, scopes };
}

/** Subjects in the order of the pages. */
export function engineSubjects(
  snapshot: Snapshot,
  question: SubjectQuestion,
  type: string,
  now: number,
): { readonly subjects: readonly string[]; readonly wildcards: readonly string[] } {
  const first = finish(listSubjects(snapshot, question, type, now, -1, pageSize));
  const subjects = [...first.subjects];
  let { position } = first;
  while (position >= 0) {
    const page = finish(listSubjects(snapshot, question, type, now, position, pageSize));
    if (page.subjects.length > pageSize) throw new Error(`a page of ${pageSize} holds ${page.subjects.length}`);
    subjects.push(...page.subjects);
    position = page.position;
  }
  return { subjects, wildcards: first.wildcards };
}

export function engineActions(
  snapshot: Snapshot,
  query: Omit<Query, 'action'>,
  now: number,
): { readonly actions: readonly string[]; readonly patterns: readonly string[] } {
  const { actions, patterns } = finish(listActions(snapshot, query, now));
  return { actions, patterns };
}
