// Long answers pause. What others ask in a pause, and what changes in it, leaves the answer as it would have been.
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import { listActions } from '../../src/engine/list-actions.ts';
import { scanObjects } from '../../src/engine/list-objects.ts';
import { listSubjects } from '../../src/engine/list-subjects.ts';
import { finish, type Steps } from '../../src/engine/steps.ts';
import type { Snapshot } from '../../src/graph/snapshot.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { applyToEngine, engineOf } from '../reference/engine-adapter.ts';

const now = 1_800_000_000_000;
const count = 3_000;
const many = <T>(make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

/** Readers by a group, a third of them denied; documents in a folder; a role with many actions. */
const records: readonly EntityRecord[] = [
  { kind: 'role', name: 'reader', permissions: ['doc:read', ...many((i) => `doc:act${i}`)] },
  ...many((i): EntityRecord => ({ kind: 'member', group: 'group:readers', member: `user:u${i}` })),
  ...many(
    (i): EntityRecord => ({
      kind: 'object',
      object: `doc:d${i}`,
      parents: [{ object: i < 2_000 ? 'folder:f' : 'folder:g' }],
    }),
  ),
  { kind: 'binding', subject: 'group:readers', role: 'reader', scope: 'folder:f' },
  ...many((i): EntityRecord[] =>
    i % 3 === 0 ? [{ kind: 'binding', subject: `user:u${i}`, role: 'reader', scope: 'doc:d5', effect: 'deny' }] : [],
  ).flat(),
];
const snapshot = engineOf(records);

const disturbance = (subject: string, object: string) => ({
  subject,
  action: 'nothing',
  object,
  reach: 'inherited' as const,
  assertedGroups: [],
});

/** Does the steps, asks something else and changes the graph in every pause; the answer, and how many pauses there were. */
function disturbed<Answer>(of: Snapshot, steps: Steps<Answer>): readonly [Answer, number] {
  let newer = of;
  for (let pauses = 0; ; pauses++) {
    const step = steps.next();
    if (step.done === true) return [step.value, pauses];
    decide(newer, disturbance(`user:nobody${pauses}`, 'folder:g'), now);
    decide(newer, disturbance('user:u3', ''), now);
    const put = { kind: 'member', group: 'group:readers', member: `user:late${pauses}` } as const;
    newer = applyToEngine(newer, [{ op: 'put', record: put }], pauses + 2);
  }
}

describe('an answer that is made in steps is the same when others ask and write between them:', () => {
  it('the subjects that may do something', () => {
    const question = { action: 'read', object: 'doc:d5', reach: 'inherited' } as const;
    const steps = () => listSubjects(snapshot, question, 'user', now, -1, 10_000);
    const alone = finish(steps());
    const [answer, pauses] = disturbed(snapshot, steps());
    expect(pauses).toBeGreaterThan(2);
    expect(answer).toEqual(alone);
    expect(answer.subjects).toHaveLength(2_000);
  });

  it('the objects on which somebody may do something', () => {
    const question = { subject: 'user:u1', action: 'read', reach: 'inherited', assertedGroups: [] } as const;
    const objectsIn = function* (): Steps<string[]> {
      const scan = yield* scanObjects(snapshot, question, 'doc', now, -1);
      const found: string[] = [];
      while (!scan.done) {
        scan.fill(found, 10_000);
        yield;
      }
      return found;
    };
    const [answer, pauses] = disturbed(snapshot, objectsIn());
    expect(pauses).toBeGreaterThan(2);
    expect(answer).toEqual(finish(objectsIn()));
    expect(answer).toHaveLength(2_000);
  });

  it('the actions that somebody may do', () => {
    const question = { subject: 'user:u1', object: 'doc:d1', reach: 'inherited', assertedGroups: [] } as const;
    const [answer, pauses] = disturbed(snapshot, listActions(snapshot, question, now));
    expect(pauses).toBeGreaterThan(2);
    expect(answer).toEqual(finish(listActions(snapshot, question, now)));
    expect(answer.actions).toHaveLength(count + 1);
  });
});
