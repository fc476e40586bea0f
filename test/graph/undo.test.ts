// Change sets taken back: random histories, every earlier graph compared record by record.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createUndo } from '../../src/graph/undo.ts';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { applyPlainly, history } from '../reference/arbitraries.ts';
import { runs, sameRecords } from '../reference/runs.ts';
import { withBefore } from '../reference/told-changes.ts';

type Records = readonly EntityRecord[];

/** The graph at each revision, from the empty one on. */
function graphsOf(changeSets: readonly (readonly Change[])[]): Records[] {
  const graphs: Records[] = [[]];
  for (const changes of changeSets) graphs.push(applyPlainly(graphs.at(-1) as Records, changes));
  return graphs;
}

test('undoing the change sets of any history gives each of its graphs exactly', () => {
  fc.assert(
    fc.property(history, (changeSets) => {
      const graphs = graphsOf(changeSets);
      const undoing = createUndo(graphs.at(-1) as Records);
      for (let i = changeSets.length - 1; i >= 0; i--) {
        undoing.undo(withBefore(graphs[i] as Records, changeSets[i] as readonly Change[]));
        sameRecords(undoing.records(), graphs[i] as Records);
      }
      expect(undoing.records()).toEqual([]);
    }),
    { numRuns: runs },
  );
});

test('a history whose writers say nothing of what was there gives the same, by all that was before', () => {
  fc.assert(
    fc.property(history, fc.nat(), fc.func(fc.boolean()), (changeSets, pick, says) => {
      const graphs = graphsOf(changeSets);
      const target = pick % (changeSets.length + 1);
      const undoing = createUndo(graphs.at(-1) as Records);
      for (let i = changeSets.length - 1; i >= 0; i--) {
        const told = withBefore(graphs[i] as Records, changeSets[i] as readonly Change[]);
        const changes = told.map((change, j) => (says(i, j) ? change : silent(change)));
        if (i >= target) undoing.undo(changes);
        else undoing.settle(changes);
      }
      undoing.settleAll();
      sameRecords(undoing.records(), graphs[target] as Records);
    }),
    { numRuns: runs },
  );
});

function silent(change: Change): Change {
  return change.op === 'put'
    ? { op: 'put', record: change.record }
    : { op: 'delete', kind: change.kind, key: change.key };
}

describe('what nobody said', () => {
  const role: EntityRecord = { kind: 'role', name: 'viewer', permissions: ['doc:read'] };
  const wider: EntityRecord = { kind: 'role', name: 'viewer', permissions: ['doc:*'] };

  test('is counted, and settled by the newest change set before that names it', () => {
    const undoing = createUndo([]);
    undoing.undo([{ op: 'delete', kind: 'role', key: 'viewer' }]);
    expect(undoing.unsure).toEqual({ puts: 0, deletes: 1 });
    undoing.settle([{ op: 'put', record: role }]);
    undoing.settle([{ op: 'put', record: wider }]);
    expect(undoing.unsure).toEqual({ puts: 0, deletes: 0 });
    expect(undoing.records()).toEqual([role]);
  });

  test('is known again where an older change set that is undone says it', () => {
    const undoing = createUndo([wider]);
    undoing.undo([{ op: 'put', record: wider }]);
    expect(undoing.unsure).toEqual({ puts: 1, deletes: 0 });
    undoing.undo([{ op: 'put', record: wider, before: role }]);
    expect(undoing.unsure).toEqual({ puts: 0, deletes: 0 });
    expect(undoing.records()).toEqual([role]);
  });
});
