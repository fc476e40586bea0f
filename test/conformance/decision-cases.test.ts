/**
 * The rules of the decision as readable cases (decision-cases/*.yaml), each put
 * to the reference and to the engine.
 */
import { describe, expect, test } from 'vitest';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { Query, Verdict } from '../../src/model/query.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { loadDecisionCases } from '../data/decision-cases.ts';
import { recordsOfPolicy } from '../data/policy-records.ts';
import { engineActions, engineCheck, engineObjects, engineOf, engineSubjects } from '../reference/engine-adapter.ts';
import { check } from '../reference/evaluator.ts';
import { listActions, listObjects, listSubjects, modeOf } from '../reference/lists.ts';
import { sameRecords } from '../reference/runs.ts';

/** Answers about one graph, whoever gives them. */
interface Answers {
  check(query: Query, now: number): Verdict;
  objects(query: Query, type: string, now: number): { objects: readonly string[]; scopes: readonly string[] };
  subjects(query: Query, type: string, now: number): { subjects: readonly string[]; wildcards: readonly string[] };
  actions(query: Query, now: number): { actions: readonly string[]; patterns: readonly string[] };
}

function answersOfReference(records: readonly EntityRecord[]): Answers {
  return {
    check: (query, now) => check(records, query, now),
    objects: (query, type, now) => listObjects(records, query, type, now),
    subjects: (query, type, now) => listSubjects(records, query, type, now),
    actions: (query, now) => listActions(records, query, now),
  };
}

function answersOfEngine(records: readonly EntityRecord[]): Answers {
  const snapshot = engineOf(records);
  return {
    check: (query, now) => engineCheck(snapshot, query, now),
    objects: (query, type, now) => engineObjects(snapshot, query, type, now),
    subjects: (query, type, now) => engineSubjects(snapshot, query, type, now),
    actions: (query, now) => engineActions(snapshot, query, now),
  };
}

/** What the mode makes of a verdict of mode enforce. */
function inMode(records: readonly EntityRecord[], verdict: Verdict): Verdict {
  switch (modeOf(records)) {
    case 'enforce':
      return verdict;
    case 'shadow':
      return { ...verdict, allowed: true };
    case 'off':
      return { allowed: true, reason: 'ENFORCEMENT_OFF', binding: '' };
  }
}

const documents = loadDecisionCases(new URL('decision-cases/', import.meta.url));

describe.each([
  { who: 'the reference', answersOf: answersOfReference },
  { who: 'the engine', answersOf: answersOfEngine },
])('$who', ({ answersOf }) => {
  describe.each(documents)('$file: $title', ({ policy, now, cases }) => {
    const records = recordsOfPolicy(policy);

    test.each(cases)('$name', ({ checks, objects, subjects, actions }) => {
      const answers = answersOf(records);
      for (const expected of checks) {
        const { allowed, reason, binding } = inMode(records, answers.check(expected.query, now));
        const actual = {
          allowed,
          ...(expected.reason === undefined ? {} : { reason }),
          ...(expected.binding === undefined ? {} : { binding }),
        };
        const { query, ...wanted } = expected;
        expect(actual, JSON.stringify(query)).toEqual(wanted);
      }
      for (const { expected, extras, ...question } of objects) {
        const list = answers.objects(question, question.type, now);
        expect(list.objects.toSorted(), JSON.stringify(question)).toEqual(expected);
        if (extras !== undefined) expect(list.scopes, JSON.stringify(question)).toEqual(extras);
      }
      for (const { expected, extras, ...question } of subjects) {
        const list = answers.subjects(question, question.type, now);
        expect(list.subjects.toSorted(), JSON.stringify(question)).toEqual(expected);
        if (extras !== undefined) expect(list.wildcards, JSON.stringify(question)).toEqual(extras);
      }
      for (const { expected, extras, ...question } of actions) {
        const list = answers.actions(question, now);
        expect(list.actions.toSorted(), JSON.stringify(question)).toEqual(expected);
        if (extras !== undefined) expect(list.patterns, JSON.stringify(question)).toEqual(extras);
      }
    });
  });
});

describe('the policy file parser', () => {
  const checked = documents.filter(({ unchecked }) => !unchecked);

  test.each(checked)('reads the records that $file means: $title', ({ file, policy }) => {
    const result = parsePolicy(JSON.stringify(policy), file);
    if (!result.ok) expect.unreachable(result.problems.map(({ message }) => message).join('\n'));
    sameRecords(result.records, recordsOfPolicy(policy));
  });

  test.each(documents.filter(({ unchecked }) => unchecked))(
    'refuses the policy of $file: $title',
    ({ file, policy }) => {
      const result = parsePolicy(JSON.stringify(policy), file);
      expect(result.ok).toBe(false);
    },
  );
});
