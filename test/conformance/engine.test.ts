/**
 * The engine against the reference, on random graphs. Each run prints its seed;
 * POSTERN_SEED=<seed> repeats it, POSTERN_RUNS=<n> makes it longer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { applyPlainly, graph, history, listedSubjectType, listedType, now, query } from '../reference/arbitraries.ts';
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
} from '../reference/engine-adapter.ts';
import { check } from '../reference/evaluator.ts';
import { listActions, listObjects, listSubjects } from '../reference/lists.ts';
import { problemsOfPath } from '../reference/paths.ts';
import { runs, sameRecords, say, seed } from '../reference/runs.ts';

const holdsFor = <T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>) =>
  fc.assert(property, { seed, numRuns: runs });
const timeout = 20_000 + runs * 100;

const queries = fc.array(query, { minLength: 1, maxLength: 24, size: 'max' });

describe('on random graphs the engine', { timeout }, () => {
  test('answers every Check like the reference', () => {
    holdsFor(
      fc.property(graph, queries, (records, asked) => {
        const snapshot = engineOf(records);
        for (const one of asked) expect(engineCheck(snapshot, one, now), say(one)).toEqual(check(records, one, now));
      }),
    );
  });

  test('lists the objects that the reference lists, each once, over pages', () => {
    holdsFor(
      fc.property(graph, queries, listedType, (records, asked, type) => {
        const snapshot = engineOf(records);
        for (const one of asked) {
          const { objects, scopes } = engineObjects(snapshot, one, type, now);
          expect({ objects: objects.toSorted(), scopes }, say(one)).toEqual(listObjects(records, one, type, now));
        }
      }),
    );
  });

  test('lists the subjects that the reference lists, each once, over pages', () => {
    holdsFor(
      fc.property(graph, queries, listedSubjectType, (records, asked, type) => {
        const snapshot = engineOf(records);
        for (const { action, object, reach } of asked) {
          const { subjects, wildcards } = engineSubjects(snapshot, action, object, reach, type, now);
          expect({ subjects: subjects.toSorted(), wildcards }, say({ action, object, reach, type })).toEqual(
            listSubjects(records, action, object, reach, type, now),
          );
        }
      }),
    );
  });

  test('lists the actions that the reference lists', () => {
    holdsFor(
      fc.property(graph, queries, (records, asked) => {
        const snapshot = engineOf(records);
        for (const one of asked) {
          expect(engineActions(snapshot, one, now), say(one)).toEqual(listActions(records, one, now));
        }
      }),
    );
  });

  test('explains what it decided by a path that can be walked', () => {
    holdsFor(
      fc.property(graph, queries, (records, asked) => {
        const snapshot = engineOf(records);
        for (const one of asked) {
          const { verdict, path } = engineExplain(snapshot, one, now);
          expect(verdict, say(one)).toEqual(engineCheck(snapshot, one, now));
          expect(problemsOfPath(records, one, verdict, path, now), say({ one, path })).toEqual([]);
        }
      }),
    );
  });
});

describe('over random histories the engine', { timeout }, () => {
  test('answers like the reference at every revision, old snapshots after later changes too', () => {
    holdsFor(
      fc.property(history, queries, listedType, (changeSets, asked, type) => {
        let snapshot = emptyEngine();
        let records: readonly EntityRecord[] = [];
        const revisions = [{ snapshot, records }];
        for (const [index, changes] of changeSets.entries()) {
          snapshot = applyToEngine(snapshot, changes, index + 1);
          records = applyPlainly(records, changes);
          revisions.push({ snapshot, records });
        }
        for (const [number, revision] of revisions.entries()) {
          for (const one of asked) {
            const where = say({ number, one });
            expect(engineCheck(revision.snapshot, one, now), where).toEqual(check(revision.records, one, now));
          }
          const [one] = asked;
          if (one === undefined) continue;
          const { objects, scopes } = engineObjects(revision.snapshot, one, type, now);
          expect({ objects: objects.toSorted(), scopes }, say({ number, one })).toEqual(
            listObjects(revision.records, one, type, now),
          );
          const { action, object, reach } = one;
          const { subjects, wildcards } = engineSubjects(revision.snapshot, action, object, reach, '', now);
          expect({ subjects: subjects.toSorted(), wildcards }, say({ number, one })).toEqual(
            listSubjects(revision.records, action, object, reach, '', now),
          );
          expect(engineActions(revision.snapshot, one, now), say({ number, one })).toEqual(
            listActions(revision.records, one, now),
          );
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
            expect(engineCheck(snapshot, one, now), say({ index, one })).toEqual(check(records, one, now));
          }
          snapshot = applyToEngine(snapshot, changes, index + 1);
          records = applyPlainly(records, changes);
        }
        for (const one of asked) {
          expect(engineCheck(snapshot, one, now), say(one)).toEqual(check(records, one, now));
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
          snapshot = applyToEngine(snapshot, changes, index + 1);
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
          oneByOne = applyToEngine(oneByOne, [{ op: 'put', record }], index + 1);
        }
        const atOnce = engineOf(records);
        for (const one of asked) {
          expect(engineCheck(oneByOne, one, now), say(one)).toEqual(engineCheck(atOnce, one, now));
        }
      }),
    );
  });
});
