// What a replay counts and gathers: on random graphs against plain comparison, and case by case.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { snapshotOf } from '../../src/cli/snapshot-of.ts';
import type { DecisionRecord, LogRecord } from '../../src/decision-log/record.ts';
import { createDecider } from '../../src/impact/decide-again.ts';
import { createReplay, type ReplayOptions } from '../../src/impact/replay.ts';
import { totalOf } from '../../src/impact/tally.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Query } from '../../src/model/query.ts';
import { graph, now } from '../reference/arbitraries.ts';
import { query } from '../reference/questions.ts';
import { runs } from '../reference/runs.ts';
import { beganMs, decidedRecord, decisionRecord } from './records.ts';

const viewer: EntityRecord = { kind: 'role', name: 'viewer', permissions: ['doc:read'] };
const editor: EntityRecord = { kind: 'role', name: 'editor', permissions: ['doc:write'], includes: ['viewer'] };
const bind = (subject: string, role: string, more: object = {}): EntityRecord => {
  return { kind: 'binding', subject, role, scope: 'doc:*', ...more } as EntityRecord;
};
const before = [viewer, editor, bind('user:alice', 'editor'), bind('user:bob', 'viewer')];

function replayOf(records: readonly LogRecord[], proposed: readonly EntityRecord[], more: Partial<ReplayOptions> = {}) {
  const replay = createReplay({
    proposed: createDecider(snapshotOf(proposed)),
    attributesCount: proposed.some((record) => record.kind === 'binding' && record.condition !== undefined),
    grouping: 'cause',
    ...more,
  });
  for (const record of records) replay.add(record);
  return replay.report();
}

/** What was asked of `before`, as a log has it. */
function log(...asked: readonly (readonly [subject: string, action: string, object: string])[]): DecisionRecord[] {
  const snapshot = snapshotOf(before);
  return asked.map(([subject, action, object], i) =>
    decidedRecord(i + 1, snapshot, { subject, action, object, reach: 'inherited', assertedGroups: [] }),
  );
}

/** In mode enforce, whatever the graph says: of another mode not everything could be decided again. */
function recordAll(records: readonly EntityRecord[], asked: readonly Query[]): DecisionRecord[] {
  const snapshot = snapshotOf(records.filter(({ kind }) => kind !== 'settings'));
  return asked.flatMap((one, i) => {
    try {
      return [decidedRecord(i + 1, snapshot, one, now)];
    } catch (error) {
      // What had no answer is in no log.
      if (error instanceof PosternError) return [];
      throw error;
    }
  });
}

test('under the policy that decided, no random decision changes, nor its reason', () => {
  fc.assert(
    fc.property(graph, fc.array(query, { minLength: 5, maxLength: 30 }), (records, asked) => {
      const logged = recordAll(records, asked);
      const report = replayOf(logged, records, { attributesCount: true });
      expect(report).toMatchObject({ replayed: logged.length, otherReason: 0, groups: [] });
      expect(totalOf(report.changed)).toBe(0);
    }),
    { numRuns: runs },
  );
});

test('under another random policy, what changes is what two plain decisions say', () => {
  fc.assert(
    fc.property(graph, graph, fc.array(query, { minLength: 5, maxLength: 30 }), (first, second, asked) => {
      const logged = recordAll(first, asked);
      const report = replayOf(logged, second);
      const expected = { newly_allowed: 0, newly_denied: 0, newly_failing: 0 };
      const snapshot = snapshotOf(second);
      for (const record of logged) {
        const question: Query = {
          subject: record.subject ?? '',
          action: record.action,
          object: record.object ?? '',
          reach: record.reach === 'exact' ? 'exact' : 'inherited',
          assertedGroups: record.asserted_groups ?? [],
          activeRoles: record.active_roles,
          attributes: record.attributes as Query['attributes'],
        };
        const { answer } = createDecider(snapshot)(question, now);
        if (answer === 'error') expected.newly_failing++;
        else if (answer === 'allowed' && !record.allowed) expected.newly_allowed++;
        else if (answer === 'denied' && record.allowed) expected.newly_denied++;
      }
      expect(report.changed).toEqual(expected);
      expect(report.groups.reduce((sum, { count }) => sum + count, 0)).toBe(totalOf(expected));
      const byType = replayOf(logged, second, { grouping: 'type' });
      expect(byType.groups.reduce((sum, { count }) => sum + count, 0)).toBe(totalOf(expected));
    }),
    { numRuns: runs },
  );
});

describe('a group', () => {
  const asked = log(
    ['user:alice', 'read', 'doc:1'],
    ['user:alice', 'read', 'doc:1'],
    ['user:bob', 'read', 'doc:2'],
    ['user:alice', 'write', 'doc:1'],
    ['user:eve', 'read', 'doc:3'],
  );

  test('names what was, what is now, how many they are, and some of them', () => {
    const { changed, groups } = replayOf(asked, [viewer, editor, bind('user:eve', 'viewer')]);
    expect(changed).toEqual({ newly_allowed: 1, newly_denied: 4, newly_failing: 0 });
    expect(groups.map(({ direction, count, common }) => [direction, count, common])).toEqual([
      [
        'newly_denied',
        2,
        {
          reasonBefore: 'ALLOWED',
          roleBefore: 'editor',
          reasonAfter: 'NO_ROLE',
          roleAfter: '',
          action: 'read',
          type: 'doc',
        },
      ],
      ['newly_denied', 1, expect.objectContaining({ roleBefore: 'viewer', action: 'read' })],
      ['newly_denied', 1, expect.objectContaining({ roleBefore: 'editor', action: 'write' })],
      [
        'newly_allowed',
        1,
        expect.objectContaining({ reasonBefore: 'NO_ROLE', reasonAfter: 'ALLOWED', roleAfter: 'viewer' }),
      ],
    ]);
    const [first] = groups;
    expect([first?.subjects.count, first?.objects.count]).toEqual([1, 1]);
    expect(first?.bindingsBefore.some(2)).toEqual(['["user:alice","editor","doc:*","allow"]']);
    // Of what came twice, the last.
    expect(first?.examples).toMatchObject([
      { subject: 'user:alice', object: 'doc:1', count: 2, decision: asked[1]?.id },
    ]);
  });

  test('can be by subject, action, type or role', () => {
    const proposed = [viewer, editor, bind('user:eve', 'viewer')];
    const by = (grouping: ReplayOptions['grouping']) =>
      replayOf(asked, proposed, { grouping }).groups.map(({ common, count }) => [...Object.values(common), count]);
    expect(by('subject')).toEqual([
      ['user:alice', 3],
      ['user:bob', 1],
      ['user:eve', 1],
    ]);
    expect(by('action')).toEqual([
      ['read', 3],
      ['write', 1],
      ['read', 1],
    ]);
    expect(by('type')).toEqual([
      ['doc', 4],
      ['doc', 1],
    ]);
    expect(by('role')).toEqual([
      ['editor', 3],
      ['viewer', 1],
      ['viewer', 1],
    ]);
  });

  test('of a deny is by the role that denies', () => {
    const { groups } = replayOf(asked, [...before, bind('user:*', 'editor', { effect: 'deny' })], { grouping: 'role' });
    expect(groups).toMatchObject([{ direction: 'newly_denied', common: { role: 'editor' }, count: 4 }]);
  });

  test('keeps a few examples, and counts all subjects', () => {
    const many = Array.from({ length: 50 }, (_, i) => decisionRecord(i + 1, { subject: `user:u${i}` }));
    const [group] = replayOf(many, [viewer]).groups;
    expect(group?.examples).toHaveLength(3);
    expect(group?.subjects.count).toBe(50);
  });
});

describe('what cannot be decided again is counted', () => {
  test('lists', () => {
    const { notReplayed, replayed } = replayOf(
      [
        decisionRecord(1, { source: 'list_objects', object: 'doc:*', results: 7 }),
        decisionRecord(2, { source: 'list_actions', action: '*', results: 0 }),
      ],
      before,
    );
    expect([notReplayed.lists, replayed]).toEqual([2, 0]);
  });

  test('masked questions, unless only attributes are and no condition looks at them', () => {
    const masked = [
      decisionRecord(1, { subject: 'user:hmac-abc', masked: ['subject', 'binding'] }),
      decisionRecord(2, { masked: ['attributes.ip', 'caller'] }),
      decisionRecord(3, { masked: ['caller', 'trace_id'] }),
      decisionRecord(4, { masked: ['object'] }),
    ];
    expect(replayOf(masked, before)).toMatchObject({ replayed: 2, notReplayed: { masked: 2 } });
    const conditional = [...before, bind('user:carol', 'viewer', { condition: 'context.ip == "::1"' })];
    expect(replayOf(masked, conditional)).toMatchObject({ replayed: 1, notReplayed: { masked: 3 } });
  });

  test('decisions while enforcement was off, unless a baseline says what they would have been', () => {
    const off = [decisionRecord(1, { mode: 'off', reason: 'ENFORCEMENT_OFF', subject: 'user:eve' })];
    expect(replayOf(off, before)).toMatchObject({ replayed: 0, notReplayed: { notEnforced: 1 } });
    const baseline = createDecider(snapshotOf(before));
    const proposed = [...before, bind('user:eve', 'viewer')];
    expect(replayOf(off, proposed, { baseline })).toMatchObject({ replayed: 1, changed: { newly_allowed: 1 } });
  });

  test('gaps, each once, with how many records they stand for', () => {
    const gap = { type: 'gap', instance: 'i1', time: '2026-06-01T12:00:00.000Z', tenant: 'default' } as const;
    const records = [
      { ...gap, first: 5, last: 14, cause: 'buffer_full' },
      { ...gap, first: 20, last: 20, cause: 'refused' },
    ];
    expect(replayOf([...records, ...records], before)).toMatchObject({ gaps: 2, missing: 11 });
  });

  test('what the log left out by filters and sampling', () => {
    const start: LogRecord = {
      type: 'start',
      instance: 'i1',
      time: '2026-06-01T12:00:00.000Z',
      tenant: 'default',
      next: 1,
      after: 'nothing',
      log: { mode: 'spool', sink: 'files', filter: 'include outcome=denied' },
    };
    const sampled = [1, 2].map((n) => decisionRecord(n, { sample_rate: 0.25 }));
    const report = replayOf([start, start, ...sampled], before);
    expect(report).toMatchObject({ leftOut: ['filter include outcome=denied'], sampled: 2, sampledFrom: 8 });
  });

  test('what a process left out that began before the time that is asked for, where it decided in it', () => {
    const replay = createReplay({ proposed: createDecider(snapshotOf([])), attributesCount: false, grouping: 'cause' });
    const start = (instance: string, log: object) => {
      const common = { time: '2026-06-01T11:00:00.000Z', tenant: 'default', next: 1 } as const;
      replay.addStart({ type: 'start', instance, ...common, after: 'nothing', log: { mode: 'block', ...log } });
    };
    start('i1', { filter: 'include outcome=denied' });
    start('i1', { filter: 'include outcome=denied', sample: 'allowed=0' });
    start('i2', { filter: 'include outcome=denied' });
    replay.add(decisionRecord(1));
    expect(replay.report().leftOut).toEqual(['filter include outcome=denied', 'sample allowed=0']);
  });
});

test('a record that comes twice counts once', () => {
  const record = decisionRecord(1);
  expect(replayOf([record, record, decisionRecord(2)], [])).toMatchObject({ decisions: 2, repeated: 1 });
});

test('an answer that cannot be had is neither allowed nor denied', () => {
  const conditional = [viewer, bind('user:alice', 'viewer', { condition: 'context.level > 3' })];
  const records = [decisionRecord(1), decisionRecord(2, { attributes: { level: 4 } })];
  const { changed, groups } = replayOf(records, conditional);
  expect(changed).toEqual({ newly_allowed: 0, newly_denied: 0, newly_failing: 1 });
  expect(groups).toMatchObject([{ direction: 'newly_failing', common: { reasonAfter: 'CONDITION_FAILED' } }]);
});

test('it is decided at the time of the record', () => {
  const until = [viewer, bind('user:alice', 'viewer', { expiresAt: beganMs + 2 })];
  const { changed, groups } = replayOf([decisionRecord(1), decisionRecord(2), decisionRecord(3)], until);
  expect(changed.newly_denied).toBe(2);
  expect(groups[0]?.first).toBe(decisionRecord(2).time);
});

test('in shadow mode, what would have been enforced is compared', () => {
  const shadow = [
    decisionRecord(1, { mode: 'shadow', enforced_allowed: false, reason: 'NO_ROLE', subject: 'user:eve' }),
  ];
  expect(totalOf(replayOf(shadow, before).changed)).toBe(0);
});

test('asserted groups, active roles and reach are those of the record', () => {
  const records = [viewer, editor, bind('group:eng', 'viewer'), bind('user:alice', 'editor')];
  const logged = [
    decisionRecord(1, { subject: 'user:eve', asserted_groups: ['group:eng'] }),
    decisionRecord(2, { action: 'write', active_roles: ['viewer'], allowed: false, reason: 'ROLE_LACKS_PERMISSION' }),
    decisionRecord(3, { reach: 'exact', allowed: false, reason: 'NO_ROLE' }),
  ];
  expect(totalOf(replayOf(logged, records).changed)).toBe(0);
});

test('a baseline is compared with instead of the record, and is told where it differs from it', () => {
  const baseline = createDecider(snapshotOf(before));
  const logged = [decisionRecord(1), decisionRecord(2, { subject: 'user:eve' })];
  const report = replayOf(logged, before, { baseline });
  expect(report).toMatchObject({ replayed: 2, baselineDiffers: 1, groups: [] });
});
