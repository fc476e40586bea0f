// Decisions explained at the revisions at which they were made, from the store as it is at the end: random histories
// against a real Redis, then what history cannot say any more.
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agrees, explainRecord } from '../../src/cli/audit-explain.ts';
import { graphAt } from '../../src/cli/past-graph.ts';
import { snapshotOf } from '../../src/cli/snapshot-of.ts';
import type { DecisionRecord } from '../../src/decision-log/record.ts';
import { type Change, formatRevision, type Revision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Query } from '../../src/model/query.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { decidedRecord } from '../impact/records.ts';
import { applyPlainly, history, now, toChange } from '../reference/arbitraries.ts';
import { query } from '../reference/questions.ts';
import { runs, sameRecords } from '../reference/runs.ts';
import { withBefore } from '../reference/told-changes.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { newTenant } from '../store/records.ts';

let store: Store;
let redis: Redis;

beforeAll(() => {
  store = createRedisStore(parseRedisUrl(sharedRedisUrl()));
  redis = new Redis(sharedRedisUrl());
});
afterAll(async () => {
  redis.disconnect();
  await store.close();
});

interface Played {
  readonly tenant: string;
  /** By the order of commits: the revision, and the graph at it. */
  readonly revisions: readonly { readonly revision: Revision; readonly records: readonly EntityRecord[] }[];
}

/** Commits a history. @param says Whether each change set says what was there before. */
async function play(changeSets: readonly (readonly Change[])[], says: (i: number) => boolean): Promise<Played> {
  const tenant = newTenant();
  let records: readonly EntityRecord[] = [];
  const revisions: { revision: Revision; records: readonly EntityRecord[] }[] = [];
  for (const [i, changes] of changeSets.entries()) {
    const told = says(i) ? withBefore(records, changes) : changes;
    records = applyPlainly(records, changes);
    revisions.push({ revision: await store.commit(tenant, told), records });
  }
  return { tenant, revisions };
}

function recordAll({ tenant, revisions }: Played, asked: readonly Query[]): DecisionRecord[] {
  let n = 0;
  return revisions.flatMap(({ revision, records }) => {
    const snapshot = snapshotOf(records);
    return asked.flatMap((one) => {
      n++;
      try {
        const record = decidedRecord(n, snapshot, one, now);
        return [{ ...record, tenant, revision: formatRevision(revision) }];
      } catch (error) {
        // What had no answer is in no log.
        if (error instanceof PosternError) return [];
        throw error;
      }
    });
  });
}

const explain = (record: DecisionRecord) => explainRecord(record, { graph: { redis: sharedRedisUrl() } });

describe('of a random history, whether or not its writers say what was there,', () => {
  const someRuns = { numRuns: Math.max(5, Math.ceil(runs / 25)) };

  test('each decision is explained at its revision as it was recorded', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(
      history,
      fc.array(query, { minLength: 2, maxLength: 4 }),
      fc.func(fc.boolean()),
      async (changeSets, asked, says) => {
        for (const record of recordAll(await play(changeSets, says), asked)) {
          const explained = await explain(record);
          expect({ record, explained, agrees: agrees(explained) }).toMatchObject({ agrees: true });
          expect(explained.certain).toBe(true);
        }
      },
    );
    await fc.assert(property, someRuns);
  });

  test('each graph comes back record by record', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(history, fc.func(fc.boolean()), async (changeSets, says) => {
      const { tenant, revisions } = await play(changeSets, says);
      for (const [i, { revision, records }] of revisions.entries()) {
        const past = await graphAt(store, tenant, revision);
        sameRecords(past.records, records);
        expect(past).toMatchObject({ undone: revisions.length - 1 - i, takenForNew: 0 });
      }
    });
    await fc.assert(property, someRuns);
  });
});

describe('what history cannot say', () => {
  const role = (...permissions: string[]): EntityRecord => ({ kind: 'role', name: 'viewer', permissions });
  const bound: EntityRecord = { kind: 'binding', subject: 'user:alice', role: 'viewer', scope: '*' };
  const ask: Query = { subject: 'user:alice', action: 'read', object: 'doc:1', reach: 'inherited', assertedGroups: [] };
  let played: Played;
  let first: DecisionRecord;

  beforeEach(async () => {
    const puts = [toChange(role('doc:read'), true), toChange(bound, true)];
    played = await play([puts, [toChange(role('doc:write'), true)], [toChange(bound, false)]], () => true);
    first = recordAll(played, [ask])[0] as DecisionRecord;
  });

  test('is nothing as long as it is whole: the first decision is still explained', async () => {
    const explained = await explain(first);
    expect(explained).toMatchObject({ differences: [], reasons: [], certain: true });
    expect(explained.about).toMatch(/ with 2 change sets taken back$/);
    expect(explained.answer?.summary).toContain('user:alice may read doc:1');
  });

  test('is told where it was trimmed', async () => {
    await redis.xtrim(tenantKeys(played.tenant).changes, 'MAXLEN', 1);
    await expect(explain(first)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/ reaches back to revision \S+\.2\.\S+ only, .*--policy$/),
    });
  });

  test('is told where another commit has that number', async () => {
    const [epoch, number] = first.revision.split('.');
    await expect(explain({ ...first, revision: `${epoch}.${number}.other` })).rejects.toMatchObject({
      code: 'REVISION_LOST',
    });
    await expect(explain({ ...first, revision: `${epoch}.99` })).rejects.toMatchObject({ code: 'REVISION_LOST' });
  });

  test('is told where the tenant was emptied and began anew', async () => {
    const keys = tenantKeys(played.tenant);
    await redis.del(keys.head, keys.changes, ...keys.recordList);
    await store.commit(played.tenant, [toChange(bound, true)]);
    await expect(explain(first)).rejects.toMatchObject({ code: 'REVISION_OF_OTHER_EPOCH' });
  });

  test('is told where a writer deleted without a word of what was there, and what was before is cut off', async () => {
    const other = await play(
      [[toChange(role('doc:read'), true), toChange(bound, true)], [], [toChange(bound, false)]],
      () => false,
    );
    const second = recordAll(other, [ask])[1] as DecisionRecord;
    expect(agrees(await explain(second))).toBe(true);
    await redis.xtrim(tenantKeys(other.tenant).changes, 'MAXLEN', 2);
    await expect(explain(second)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('history does not say what 1 deleted record'),
    });
  });

  test('is named where records are taken for new', async () => {
    const other = await play([[toChange(role('doc:read'), true)], [], [toChange(bound, true)]], () => false);
    const second = recordAll(other, [ask])[1] as DecisionRecord;
    await redis.xtrim(tenantKeys(other.tenant).changes, 'MAXLEN', 2);
    const explained = await explain(second);
    expect(explained).toMatchObject({ certain: false, differences: [] });
    expect(explained.about).toContain('1 record made since are taken for new');
  });

  test('survives the deletion of the tenant', async () => {
    await store.deleteTenant(played.tenant);
    expect(agrees(await explain(first))).toBe(true);
  });

  test('is no excuse for another record: what differs is named', async () => {
    const forged = { ...first, allowed: false, reason: 'NO_ROLE', binding: undefined };
    const explained = await explain(forged as unknown as DecisionRecord);
    expect(explained.differences).toEqual([
      { field: 'allowed', recorded: 'false', explained: 'true' },
      { field: 'reason', recorded: 'NO_ROLE', explained: 'ALLOWED' },
      { field: 'binding', recorded: '', explained: '["user:alice","viewer","*","allow"]' },
    ]);
  });
});
