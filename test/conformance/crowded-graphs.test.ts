/**
 * The engine against the reference on graphs large enough to split what an
 * index keeps in pieces. POSTERN_SEED and POSTERN_RUNS as in engine.test.ts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntityRecord } from '../../src/model/entity.ts';
import { applyPlainly, now } from '../reference/arbitraries.ts';
import { crowdedHistory, crowdedQuestion } from '../reference/crowds.ts';
import {
  applyToEngine,
  emptyEngine,
  engineCheck,
  engineObjects,
  engineRecords,
  engineSubjects,
  ways,
} from '../reference/engine-adapter.ts';
import { check } from '../reference/evaluator.ts';
import { listObjects, listSubjects } from '../reference/lists.ts';
import { runs, sameRecords, say } from '../reference/runs.ts';
import { seed } from '../setup/seed.ts';

const numRuns = Math.ceil(runs / 250);

test.each(ways)(
  'on crowded graphs $way every revision answers like the reference, after all later changes',
  {
    timeout: 60_000 + numRuns * 10_000,
  },
  ({ step }) => {
    fc.assert(
      fc.property(
        crowdedHistory,
        fc.array(crowdedQuestion, { minLength: 1, maxLength: 8, size: 'max' }),
        (sets, asked) => {
          let snapshot = emptyEngine();
          let records: readonly EntityRecord[] = [];
          const revisions = [{ snapshot, records }];
          for (const [index, changes] of sets.entries()) {
            snapshot = step(applyToEngine(snapshot, changes, index + 1), index + 1);
            records = applyPlainly(records, changes);
            revisions.push({ snapshot, records });
          }
          const stride = Math.max(1, Math.floor(revisions.length / 6));
          const visited = revisions.filter((_, number) => number % stride === 0 || number === revisions.length - 1);
          for (const revision of visited) {
            sameRecords(engineRecords(revision.snapshot), revision.records);
            for (const one of asked) {
              expect(engineCheck(revision.snapshot, one, now), say(one)).toEqual(check(revision.records, one, now));
            }
          }
          const [one] = asked;
          if (one === undefined) return;
          const { objects, scopes } = engineObjects(snapshot, one, 'doc', now);
          expect({ objects: objects.toSorted(), scopes }, say(one)).toEqual(listObjects(records, one, 'doc', now));
          const { subjects, wildcards } = engineSubjects(snapshot, one, '', now);
          expect({ subjects: subjects.toSorted(), wildcards }, say(one)).toEqual(listSubjects(records, one, '', now));
        },
      ),
      { seed, numRuns },
    );
  },
);
