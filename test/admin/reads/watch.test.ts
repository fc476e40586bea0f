// Watching: whatever happens between, a reader who applies what comes has the graph of the replica, event by event.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { recordsOf } from '../../../src/graph/records.ts';
import type { Snapshot } from '../../../src/graph/snapshot.ts';
import { type Change, formatRevision } from '../../../src/model/change.ts';
import type { EntityRecord } from '../../../src/model/entity.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { createMemoryStore } from '../../../src/store/memory/memory-store.ts';
import { applyPlainly, history } from '../../reference/arbitraries.ts';
import { runs, sameRecords } from '../../reference/runs.ts';
import { bind, gateFor, role } from './graphs.ts';
import { closeAll, type Reader, tenant, type Watched, watched } from './watched.ts';

const current = ({ replica }: Watched) => replica.current as Snapshot;
const head = (from: Watched) => formatRevision(current(from).revision);
const kinds = (reader: Reader) => reader.events.map((event) => event.kind);
const put = (subject: string): Change => ({ op: 'put', record: bind(subject, 'first') });
const many = (count: number): Change[] => Array.from({ length: count }, (_, i) => put(`user:${i}`));

describe('whoever watches', () => {
  test('and applies all that comes has the graph at every revision, whenever they began', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), fc.boolean(), async (lists, startsAt, sinceAt, forgets) => {
        const from = await watched();
        const start = startsAt % lists.length;
        const tokens = [head(from)];
        let reader: Reader | undefined;
        for (const [i, changes] of lists.entries()) {
          if (i === start) {
            from.store.forgetful = forgets;
            const since = sinceAt % 2 === 0 ? '' : (tokens[sinceAt % tokens.length] as string);
            reader = from.open({ since });
            const known = since === '' ? [] : await recordsAt(lists, tokens.indexOf(since));
            reader.records = known;
            reader.revision = since;
          }
          await from.commit(changes);
          tokens.push(head(from));
          if (reader !== undefined && (i + sinceAt) % 2 === 0) {
            await reader.readUntil(head(from));
            sameRecords(reader.records, [...recordsOf(current(from))]);
          }
        }
        await (reader as Reader).readUntil(head(from));
        sameRecords((reader as Reader).records, [...recordsOf(current(from))]);
        await closeAll();
      }),
      { numRuns: Math.ceil(runs / 4) },
    );
  });

  test('gets a large graph in parts of one snapshot, and then what came meanwhile', async () => {
    const from = await watched();
    await from.commit(many(3_500));
    const pinned = head(from);
    const reader = from.open();
    await reader.read();
    let turns = 0;
    const tick = () => setImmediate(() => ++turns < 1_000 && tick());
    tick();
    await from.commit([put('user:late'), { op: 'delete', kind: 'role', key: 'first' }]);
    const before = turns;
    await reader.readUntil(head(from));
    expect(turns - before).toBeGreaterThanOrEqual(2);
    const parts = reader.events.flatMap((event) => (event.kind === 'graph' ? [event] : []));
    expect(parts.map(({ first, last, records }) => [first, last, records.length])).toEqual([
      [true, false, 1_000],
      [false, false, 1_000],
      [false, false, 1_000],
      [false, true, 501],
    ]);
    expect(new Set(parts.map(({ revision }) => revision))).toEqual(new Set([pinned]));
    expect(kinds(reader).slice(4)).toEqual(['changes']);
    sameRecords(reader.records, [...recordsOf(current(from))]);
  });

  test('gets one empty part of a graph without records', async () => {
    const from = await watched();
    await from.commit([{ op: 'delete', kind: 'role', key: 'first' }]);
    expect(await from.open().read()).toMatchObject({ kind: 'graph', first: true, last: true, records: [] });
  });

  test('since a revision gets only what came after it, where history reaches back to it', async () => {
    const from = await watched();
    const since = head(from);
    for (let i = 0; i < 1_200; i++) await from.store.commit(tenant, [put(`user:${i}`)]);
    const last = await from.commit([]);
    const reader = from.open({ since });
    await reader.readUntil(formatRevision(last));
    expect(reader.events.map((event) => event.kind === 'changes' && event.changeSet.revision.number)).toEqual(
      Array.from({ length: 1_201 }, (_, i) => i + 2),
    );
  });

  test('since the newest revision gets nothing until something comes', async () => {
    const from = await watched();
    const reader = from.open({ since: head(from) });
    const first = reader.read();
    await from.commit([put('user:a')]);
    expect(await first).toMatchObject({ kind: 'changes', changeSet: { revision: { number: 2 } } });
  });

  test.each(['trimmed', 'of another epoch', 'in the future', 'unreadable', 'lost', 'lost, and the newest'])(
    'since a revision that is %s gets the graph',
    async (how) => {
      const from = await watched(how === 'trimmed' ? { history: { maxChangeSets: 2, maxChanges: 100 } } : {});
      const epoch = head(from).split('.')[0];
      const known: Record<string, string> = {
        'of another epoch': 'other.1',
        'in the future': `${epoch}.99`,
        lost: `${epoch}.1.lost`,
        'lost, and the newest': `${epoch}.5.lost`,
      };
      const since = known[how] ?? head(from);
      for (let i = 0; i < 4; i++) await from.commit([put(`user:${i}`)]);
      from.store.corruptHistory = how === 'unreadable';
      expect(await from.open({ since }).read()).toMatchObject({ kind: 'graph', first: true, last: true });
    },
  );

  test('ahead of a replica that has not heard yet goes on from there', async () => {
    const from = await watched();
    from.store.losing = 1;
    const since = await from.store.commit(tenant, [put('user:lost')]);
    const reader = from.open({ since: formatRevision(since) });
    const first = reader.read();
    await from.commit([put('user:next')]);
    expect(await first).toMatchObject({ kind: 'changes', changeSet: { revision: { number: 3 } } });
  });

  test('since a revision before that of a replica that is behind gets each change set once', async () => {
    const from = await watched();
    const since = head(from);
    await from.commit([put('user:2')]);
    from.store.losing = 1;
    await from.store.commit(tenant, [put('user:lost')]);
    const reader = from.open({ since });
    await reader.read();
    const next = reader.read();
    await from.commit([put('user:4')]);
    await next;
    await reader.readUntil(head(from));
    const numbers = reader.events.map((event) => event.kind === 'changes' && event.changeSet.revision.number);
    expect(numbers).toEqual([2, 3, 4]);
  });

  test('is given the graph anew rather than a gap', async () => {
    const from = await watched();
    const reader = from.open();
    await reader.read();
    from.muted = 1;
    await from.commit([put('user:unheard')]);
    await from.commit([put('user:heard')]);
    expect(await reader.read()).toMatchObject({ kind: 'graph', first: true, revision: head(from) });
    sameRecords(reader.records, [...recordsOf(current(from))]);
  });

  test('is given the graph anew where the replica had to load it, even in the middle of another', async () => {
    const from = await watched();
    await from.commit(many(2_500));
    const [reader, idle] = [from.open(), from.open({ since: head(from) })];
    await reader.read();
    const first = idle.read();
    await from.commit([put('user:x')]);
    await first;
    await from.commit([put('user:y')]);
    const other = createMemoryStore();
    await other.commit(tenant, [{ op: 'put', record: role('restored') }]);
    await from.store.replace(other);
    from.store.reconnect();
    await vi.waitFor(() => expect([...recordsOf(current(from))]).toHaveLength(1));
    await reader.readUntil(head(from));
    expect(reader.events.at(-1)).toMatchObject({ kind: 'graph', first: true, last: true });
    // What was pending when the graph came is part of another history.
    expect(await idle.read()).toMatchObject({ kind: 'graph', revision: head(from) });
    expect(reader.records).toEqual([role('restored')]);
    await from.commit([put('user:after')]);
    await reader.read();
    sameRecords(reader.records, [...recordsOf(current(from))]);
  });

  test('and reads too slowly is told from where to go on, and is listened for no longer', async () => {
    const from = await watched();
    const reader = from.open({ limits: { changeSets: 3, changes: 100 } });
    await reader.read();
    await from.commit([put('user:a')]);
    await reader.read();
    const { revision } = reader;
    for (let i = 0; i < 3; i++) await from.commit([put(`user:${i}`)]);
    expect(from.listeners()).toBe(1);
    await from.commit([]);
    expect(from.listeners()).toBe(0);
    await expect(reader.read()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', metadata: { revision } });
    expect(await reader.read()).toBeUndefined();
    const again = from.open({ since: revision });
    again.records = reader.records;
    await again.readUntil(head(from));
    sameRecords(again.records, [...recordsOf(current(from))]);
    expect(kinds(again)).not.toContain('graph');
  });

  test('is cut off by many changes, too, but not by one large change set', async () => {
    const from = await watched();
    const reader = from.open({ limits: { changeSets: 100, changes: 50 } });
    await reader.read();
    await from.commit(many(60));
    expect((await reader.read())?.kind).toBe('changes');
    for (let i = 0; i < 2; i++) await from.commit(many(20));
    for (let i = 0; i < 2; i++) expect((await reader.read())?.kind).toBe('changes');
    await from.commit(many(60));
    await from.commit([]);
    await expect(reader.read()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test('is cut off in the middle of a graph with no revision to go on from', async () => {
    const from = await watched();
    await from.commit(many(2_500));
    const reader = from.open({ limits: { changeSets: 1, changes: 100 } });
    await reader.read();
    await from.commit([]);
    await from.commit([]);
    await expect(reader.readUntil('never')).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      metadata: { revision: '' },
    });
  });

  test.each(['before anything', 'while waiting', 'between two reads', 'in the middle of a graph'])(
    'ends when told to, %s, and leaves no listener',
    async (when) => {
      const from = await watched();
      if (when === 'in the middle of a graph') await from.commit(many(2_500));
      const reader = from.open();
      if (when === 'before anything') reader.abort.abort();
      else await reader.read();
      if (when === 'while waiting') {
        const waiting = reader.read();
        await vi.waitFor(() => expect(from.listeners()).toBe(1));
        reader.abort.abort();
        expect(await waiting).toBeUndefined();
      } else {
        reader.abort.abort();
        expect(from.listeners()).toBe(0);
        expect(await reader.read()).toBeUndefined();
      }
      expect(from.listeners()).toBe(0);
    },
  );

  test('and leaves without a word is forgotten', async () => {
    const from = await watched();
    const reader = from.open();
    await reader.read();
    await reader.end();
    expect(from.listeners()).toBe(0);
  });

  test('and loses the right sees nothing of the change set that took it, nor after it', async () => {
    const from = await watched();
    await from.commit([
      { op: 'put', record: role('auditor', '*:read_policy') },
      { op: 'put', record: bind('user:a', 'auditor') },
    ]);
    const assertPermitted = (snapshot: Snapshot) => gateFor(snapshot, 'user:a').tenantRead();
    const reader = from.open({ assertPermitted });
    await reader.read();
    await from.commit([{ op: 'delete', kind: 'role', key: 'auditor' }]);
    await expect(reader.read()).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    expect(from.listeners()).toBe(0);
    await expect(from.open({ assertPermitted }).read()).rejects.toBeInstanceOf(PosternError);
  });

  test('since something that is no token is told so', async () => {
    const from = await watched();
    await expect(from.open({ since: 'yesterday' }).read()).rejects.toMatchObject({ code: 'INVALID_REVISION_TOKEN' });
  });
});

/** The records after the first `count` lists, on top of what the store begins with. */
async function recordsAt(lists: readonly (readonly Change[])[], count: number): Promise<readonly EntityRecord[]> {
  return applyPlainly([], [{ op: 'put', record: role('first') }, ...lists.slice(0, count).flat()]);
}
