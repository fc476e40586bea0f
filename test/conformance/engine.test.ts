/**
 * The engine against the reference, on random graphs. Each run prints its seed;
 * POSTERN_SEED=<seed> repeats it, POSTERN_RUNS=<n> makes it longer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Query } from '../../src/model/query.ts';
import { applyPlainly, graph, history, now } from '../reference/arbitraries.ts';
import {
  applyToEngine,
  emptyEngine,
  engineActions,
  engineCheck,
  engineExplain,
  engineObjects,
  engineOf,
  engineRecords,
  engineSubjects,
  ways,
} from '../reference/engine-adapter.ts';
import { check } from '../reference/evaluator.ts';
import { listActions, listObjects, listSubjects } from '../reference/lists.ts';
import { type Path, problemsOfPath } from '../reference/paths.ts';
import { listedSubjectType, listedType, query } from '../reference/questions.ts';
import { runs, sameRecords, say } from '../reference/runs.ts';
import { seed } from '../setup/seed.ts';

const holdsFor = <T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>) =>
  fc.assert(property, { seed, numRuns: runs });
const timeout = 20_000 + runs * 100;

interface Failed {
  readonly failed: string;
  readonly constraint: string | undefined;
}

/**
 * What a call gives, or the code with which it fails (and the constraint that it names): a condition that cannot be
 * evaluated and roles that may not be active together are errors on both sides.
 */
function outcomeOf<T extends object>(call: () => T): T | Failed {
  try {
    return call();
  } catch (error) {
    if (error instanceof PosternError) return { failed: error.code, constraint: error.metadata.constraint };
    throw error;
  }
}

/** Lists come in the order of the pages; the reference sorts. */
function inOrder<T extends object>(list: T): T {
  const sorted = Object.entries(list).map(([name, names]) => [name, (names as readonly string[]).toSorted()]);
  return Object.fromEntries(sorted) as T;
}

/** What is allowed is allowed by an active role on the way to the permission, where the question names any. */
function goesThroughActive({ activeRoles = [] }: Query, path: Path | undefined): boolean {
  if (path === undefined || activeRoles.length === 0 || path.effect === 'deny' || path.permission === '') return true;
  return path.roles.some((role) => activeRoles.includes(role));
}

const queries = fc.array(query, { minLength: 1, maxLength: 24, size: 'max' });

describe.each(ways)('on random graphs $way the engine', { timeout }, ({ step }) => {
  const whole = (records: readonly EntityRecord[]) => step(engineOf(records), 1);

  test('answers every Check like the reference', () => {
    holdsFor(
      fc.property(graph, queries, (records, asked) => {
        const snapshot = whole(records);
        for (const one of asked) {
          const expected = outcomeOf(() => check(records, one, now));
          expect(
            outcomeOf(() => engineCheck(snapshot, one, now)),
            say(one),
          ).toEqual(expected);
        }
      }),
    );
  });

  test('lists the objects that the reference lists, each once, over pages', () => {
    holdsFor(
      fc.property(graph, queries, listedType, (records, asked, type) => {
        const snapshot = whole(records);
        for (const one of asked) {
          const listed = outcomeOf(() => inOrder(engineObjects(snapshot, one, type, now)));
          expect(listed, say(one)).toEqual(outcomeOf(() => listObjects(records, one, type, now)));
        }
      }),
    );
  });

  test('lists the subjects that the reference lists, each once, over pages', () => {
    holdsFor(
      fc.property(graph, queries, listedSubjectType, (records, asked, type) => {
        const snapshot = whole(records);
        for (const one of asked) {
          const listed = outcomeOf(() => inOrder(engineSubjects(snapshot, one, type, now)));
          expect(listed, say({ one, type })).toEqual(outcomeOf(() => listSubjects(records, one, type, now)));
        }
      }),
    );
  });

  test('lists the actions that the reference lists', () => {
    holdsFor(
      fc.property(graph, queries, (records, asked) => {
        const snapshot = whole(records);
        for (const one of asked) {
          const listed = outcomeOf(() => engineActions(snapshot, one, now));
          expect(listed, say(one)).toEqual(outcomeOf(() => listActions(records, one, now)));
        }
      }),
    );
  });

  test('explains what it decided by a path that can be walked', () => {
    holdsFor(
      fc.property(graph, queries, (records, asked) => {
        const snapshot = whole(records);
        for (const one of asked) {
          const explained = outcomeOf(() => engineExplain(snapshot, one, now));
          if ('failed' in explained) {
            expect(explained, say(one)).toEqual(outcomeOf(() => engineCheck(snapshot, one, now)));
            continue;
          }
          const { verdict, path } = explained;
          expect(verdict, say(one)).toEqual(engineCheck(snapshot, one, now));
          expect(problemsOfPath(records, one, verdict, path, now), say({ one, path })).toEqual([]);
          expect(goesThroughActive(one, path), say({ one, path })).toBe(true);
        }
      }),
    );
  });
});

describe.each(ways)('over random histories $way the engine', { timeout }, ({ step }) => {
  test('answers like the reference at every revision, old snapshots after later changes too', () => {
    holdsFor(
      fc.property(history, queries, listedType, (changeSets, asked, type) => {
        let snapshot = emptyEngine();
        let records: readonly EntityRecord[] = [];
        const revisions = [{ snapshot, records }];
        for (const [index, changes] of changeSets.entries()) {
          snapshot = step(applyToEngine(snapshot, changes, index + 1), index + 1);
          records = applyPlainly(records, changes);
          revisions.push({ snapshot, records });
        }
        for (const [number, revision] of revisions.entries()) {
          for (const one of asked) {
            const where = say({ number, one });
            const expected = outcomeOf(() => check(revision.records, one, now));
            expect(
              outcomeOf(() => engineCheck(revision.snapshot, one, now)),
              where,
            ).toEqual(expected);
          }
          const [one] = asked;
          if (one === undefined) continue;
          const pairs = [
            [
              () => inOrder(engineObjects(revision.snapshot, one, type, now)),
              () => listObjects(revision.records, one, type, now),
            ],
            [
              () => inOrder(engineSubjects(revision.snapshot, one, '', now)),
              () => listSubjects(revision.records, one, '', now),
            ],
            [() => engineActions(revision.snapshot, one, now), () => listActions(revision.records, one, now)],
          ] as const;
          for (const [engine, reference] of pairs) {
            expect(outcomeOf<object>(engine), say({ number, one })).toEqual(outcomeOf<object>(reference));
          }
        }
      }),
    );
  });

  test('refuses a change set that does not compile, whole, and goes on from the last good snapshot', () => {
    const broken: Change = {
      op: 'put',
      record: { kind: 'binding', subject: 'user:a', role: 'r1', scope: { type: 'doc', regex: '(' } },
    };
    holdsFor(
      fc.property(history, queries, (changeSets, asked) => {
        let snapshot = emptyEngine();
        let records: readonly EntityRecord[] = [];
        for (const [index, changes] of changeSets.entries()) {
          expect(() => applyToEngine(snapshot, [...changes, broken], index + 1)).toThrow(PosternError);
          for (const one of asked) {
            const expected = outcomeOf(() => check(records, one, now));
            expect(
              outcomeOf(() => engineCheck(snapshot, one, now)),
              say({ index, one }),
            ).toEqual(expected);
          }
          snapshot = step(applyToEngine(snapshot, changes, index + 1), index + 1);
          records = applyPlainly(records, changes);
        }
        for (const one of asked) {
          const expected = outcomeOf(() => check(records, one, now));
          expect(
            outcomeOf(() => engineCheck(snapshot, one, now)),
            say(one),
          ).toEqual(expected);
        }
        sameRecords(engineRecords(snapshot), records);
      }),
    );
  });

  test('gives back the records that it was given, at every revision', () => {
    holdsFor(
      fc.property(history, (changeSets) => {
        let snapshot = emptyEngine();
        let records: readonly EntityRecord[] = [];
        const revisions = [{ snapshot, records }];
        for (const [index, changes] of changeSets.entries()) {
          snapshot = step(applyToEngine(snapshot, changes, index + 1), index + 1);
          records = applyPlainly(records, changes);
          revisions.push({ snapshot, records });
        }
        for (const revision of revisions) {
          sameRecords(engineRecords(revision.snapshot), revision.records);
        }
      }),
    );
  });

  test('has the same answers however the records arrived', () => {
    holdsFor(
      fc.property(graph, queries, fc.infiniteStream(fc.nat()), (records, asked, order) => {
        const shuffled = records
          .map((record) => ({ record, rank: order.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ record }) => record);
        let oneByOne = emptyEngine();
        for (const [index, record] of shuffled.entries()) {
          oneByOne = step(applyToEngine(oneByOne, [{ op: 'put', record }], index + 1), index + 1);
        }
        const atOnce = engineOf(records);
        for (const one of asked) {
          const expected = outcomeOf(() => engineCheck(atOnce, one, now));
          expect(
            outcomeOf(() => engineCheck(oneByOne, one, now)),
            say(one),
          ).toEqual(expected);
        }
      }),
    );
  });
});
