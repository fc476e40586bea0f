// The path of a record: what Explain says at the snapshot and the time of the decision, found later.
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { DecidingPath, maxPathSteps, toWrittenPath } from '../../../src/decision-log/content/deciding-path.ts';
import { PathTurns } from '../../../src/decision-log/content/path-turns.ts';
import { type DecisionRecord, parseRecord } from '../../../src/decision-log/record.ts';
import type { Path } from '../../../src/engine/explain.ts';
import { bound, call, type PdpHarness, query, startPdp, viewer } from '../../pdp/harness.ts';
import { graph, now, toChange } from '../../reference/arbitraries.ts';
import { applyToEngine, engineExplain, engineOf } from '../../reference/engine-adapter.ts';
import { query as anyQuery } from '../../reference/questions.ts';
import { seed } from '../../setup/seed.ts';
import { createLines, decisionEntry } from '../entries.ts';

let running: PdpHarness | undefined;
afterEach(() => running?.close());

test('agrees with Explain at the snapshot of the decision, however the graph has changed since', () => {
  const claim = fc.property(graph, graph, anyQuery, (records, later, asked) => {
    const snapshot = engineOf(records);
    let expected: Path | undefined;
    try {
      expected = engineExplain(snapshot, asked, now).path;
    } catch {
      // Not a decision: it has no record.
      return;
    }
    const path = DecidingPath.later(snapshot, asked, now);
    const bindings = records.filter((record) => record.kind === 'binding');
    applyToEngine(
      snapshot,
      bindings.map((record) => toChange(record, false)),
      2,
    );
    engineOf(later);
    expect(path.resolve()).toEqual(expected);
    expect(path.isPending).toBe(false);
    expect(path.resolve()).toEqual(expected);
  });
  fc.assert(claim, { seed, numRuns: 200 });
});

test('is in the record of an Explain, and in that of a check that was drawn', async () => {
  const drawn: string[] = [];
  running = await startPdp(['default'], { takesPath: (id) => drawn.push(id) % 2 === 1 });
  const { commit, view, log } = running;
  await commit('default', [
    viewer,
    { kind: 'member', group: 'group:ops', member: 'user:alice' },
    { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:a' }] },
    bound('group:ops', 'folder:a'),
  ]);
  const asked = query('user:alice', 'read', 'doc:1');
  const explained = view().explain(asked, { ...call, source: 'explain' });
  view().check(asked, call);
  view().check(asked, call);
  view().check(query('user:bob', 'read', 'doc:1'), call);
  await commit('default', [], [toChange(bound('group:ops', 'folder:a'), false)]);
  const encoder = createLines('i-1', 'default');
  const records = log.map((entry, i) => parseRecord(encoder.decision(entry, i + 1)) as DecisionRecord);
  const path = {
    subject_steps: [{ from: 'user:alice', to: 'group:ops' }],
    effect: 'allow',
    roles: ['viewer'],
    permission: 'doc:read',
    scope: 'folder:a',
    object_steps: [{ from: 'doc:1', to: 'folder:a' }],
  };
  // Bob was drawn, and nothing reaches him.
  expect(records.map((record) => record.path)).toEqual([path, path, undefined, undefined]);
  expect(toWrittenPath(explained.path as Path)).toEqual(path);
  expect(drawn).toEqual(log.slice(1).map(({ id }) => id));
});

test('is not asked for where enforcement is off, and nothing is looked for', async () => {
  running = await startPdp(['default'], { takesPath: () => true });
  await running.commit('default', [{ kind: 'settings', mode: 'off' }, viewer]);
  running.view().check(query('user:alice', 'read', 'doc:1'), call);
  expect(running.log.map((entry) => entry.path)).toEqual([undefined]);
});

test('is bounded: of a long way the first and the last steps are told, and how many are not', () => {
  const count = 1_000;
  const steps = Array.from({ length: count }, (_, i) => ({
    from: `folder:${i}`,
    to: `folder:${i + 1}`,
    asserted: false,
  }));
  const roles = Array.from({ length: count }, (_, i) => `role-${i}`);
  const path: Path = {
    subjectSteps: steps,
    binding: '[]',
    effect: 'deny',
    roles,
    permission: '',
    scope: '*',
    condition: '',
    objectSteps: steps,
  };
  const written = toWrittenPath(path);
  const half = maxPathSteps / 2;
  expect(written.roles).toEqual([...roles.slice(0, half), ...roles.slice(-half)]);
  expect(written.object_steps).toHaveLength(maxPathSteps);
  expect(written.object_steps?.at(-1)).toEqual({ from: 'folder:999', to: 'folder:1000' });
  expect(written).toMatchObject({
    subject_steps_omitted: count - maxPathSteps,
    roles_omitted: count - maxPathSteps,
    object_steps_omitted: count - maxPathSteps,
  });
  expect(JSON.stringify(written).length).toBeLessThan(4_096);
});

test('that cannot be found costs no record', () => {
  const path = DecidingPath.later({} as never, query('user:a', 'read', 'doc:1'), now);
  const line = createLines('i-1', 'default').decision(decisionEntry({ path }), 1);
  expect(parseRecord(line)).not.toHaveProperty('path');
});

test('is found in one of the next turns, so that a record that waits holds no snapshot', async () => {
  const snapshot = engineOf([viewer, bound('user:alice', 'doc:1')]);
  const paths = Array.from({ length: 2_000 }, () =>
    DecidingPath.later(snapshot, query('user:alice', 'read', 'doc:1'), now),
  );
  const turns = new PathTurns();
  for (const path of paths) turns.add(path);
  expect(paths.every((path) => path.isPending)).toBe(true);
  // Some may have been found by then, by the encoder.
  paths[7]?.resolve();
  await vi.waitFor(() => expect(paths.some((path) => path.isPending)).toBe(false));
  turns.add(DecidingPath.later(snapshot, query('user:alice', 'read', 'doc:1'), now));
  expect(paths[1_999]?.resolve()).toMatchObject({ effect: 'allow', scope: 'doc:1' });
});
