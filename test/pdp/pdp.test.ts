import { afterEach, describe, expect, it } from 'vitest';
import { finish } from '../../src/engine/steps.ts';
import { defaultPageSize, maxAssertedGroups, maxPageSize } from '../../src/model/limits.ts';
import type { View } from '../../src/pdp/view.ts';
import { bound, call, catching, type PdpHarness, query, startPdp, viewer } from './harness.ts';

let running: PdpHarness | undefined;
afterEach(() => running?.close());

async function pdpWith(...args: Parameters<typeof startPdp>): Promise<PdpHarness> {
  running = await startPdp(...args);
  return running;
}

describe('a check', () => {
  it('leaves one record that says what was decided, why, for whom and at which revision', async () => {
    const { commit, view, log, pdp } = await pdpWith(['default'], { nowMs: 5_000 });
    await commit('default', [viewer, bound('user:alice', 'doc:1')]);
    const decision = view().check(query('user:alice', 'read', 'doc:1'), {
      source: 'batch',
      caller: '127.0.0.1:5',
      traceId: 'abc',
    });
    expect(decision).toMatchObject({ allowed: true, enforcedAllowed: true, reason: 'ALLOWED', mode: 'enforce' });
    expect(log).toEqual([
      expect.objectContaining({
        id: decision.decisionId,
        time: 5_000,
        tenant: 'default',
        subject: 'user:alice',
        action: 'read',
        object: 'doc:1',
        allowed: true,
        reason: 'ALLOWED',
        binding: '["user:alice","viewer","doc:1","allow"]',
        revision: view().revision,
        source: 'batch',
        caller: '127.0.0.1:5',
        traceId: 'abc',
        results: -1,
      }),
    ]);
    expect(pdp.counters.batch).toEqual({ allowed: 1, denied: 0 });
  });

  it('of unknown names is a denial, and of malformed ones an error that names the field and is not recorded', async () => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [viewer, bound('user:*', '*')]);
    expect(view().check(query('service:nobody', 'nothing', 'thing:none'), call).reason).toBe('NO_ROLE');
    const malformed: [ReturnType<typeof query>, string, string][] = [
      [query('', 'read', 'doc:1'), 'INVALID_SUBJECT', 'subject'],
      [query('alice', 'read', 'doc:1'), 'INVALID_SUBJECT', 'subject'],
      [query('user:*', 'read', 'doc:1'), 'INVALID_SUBJECT', 'subject'],
      [query('*', 'read', 'doc:1'), 'INVALID_SUBJECT', 'subject'],
      [query('user:a\nb', 'read', 'doc:1'), 'INVALID_SUBJECT', 'subject'],
      [query(`user:${'x'.repeat(257)}`, 'read', 'doc:1'), 'INVALID_SUBJECT', 'subject'],
      [query('user:alice', '', 'doc:1'), 'INVALID_ACTION', 'action'],
      [query('user:alice', 'read', 'doc'), 'INVALID_OBJECT', 'object'],
      [query('user:alice', 'read', 'doc:*'), 'INVALID_OBJECT', 'object'],
      [query('user:alice', 'read', '1doc:x'), 'INVALID_OBJECT', 'object'],
      [query('user:alice', 'read', '', { reach: 'exact' }), 'INVALID_REQUEST', 'reach'],
    ];
    for (const [asked, code, field] of malformed) {
      const error = catching(() => view().check(asked, call, 'checks[3].'));
      expect(error).toMatchObject({ code, metadata: { field: `checks[3].${field}` } });
    }
    expect(log).toHaveLength(1);
  });

  it('in mode shadow allows, and says and records what enforce would have answered', async () => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [{ kind: 'settings', mode: 'shadow' }, viewer]);
    const decision = view().check(query('user:alice', 'read', 'doc:1'), call);
    expect(decision).toMatchObject({ allowed: true, enforcedAllowed: false, reason: 'NO_ROLE', mode: 'shadow' });
    expect(log[0]).toMatchObject({ allowed: true, enforcedAllowed: false, mode: 'shadow' });
  });

  it('in mode off allows without looking', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [
      { kind: 'settings', mode: 'off' },
      viewer,
      { ...bound('user:alice', '*'), effect: 'deny' } as never,
    ]);
    const decision = view().check(query('user:alice', 'read', 'doc:1'), call);
    expect(decision).toMatchObject({ allowed: true, reason: 'ENFORCEMENT_OFF', mode: 'off' });
  });
});

describe('asserted groups', () => {
  it('are refused unless the operator allows them', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [viewer, bound('group:ops', '*')]);
    const error = catching(() =>
      view().check(query('user:alice', 'read', 'doc:1', { assertedGroups: ['group:ops'] }), call),
    );
    expect(error).toMatchObject({ code: 'ASSERTION_NOT_ALLOWED', metadata: { field: 'context.asserted_groups' } });
  });

  it('count where allowed, are recorded, and are checked', async () => {
    const { commit, view, log } = await pdpWith(['default'], { allowAssertedGroups: true });
    await commit('default', [viewer, bound('group:ops', '*')]);
    expect(view().check(query('user:alice', 'read', 'doc:1', { assertedGroups: ['group:ops'] }), call).allowed).toBe(
      true,
    );
    expect(log[0]?.assertedGroups).toEqual(['group:ops']);
    const asserting = (groups: string[]) =>
      catching(() => view().check(query('user:a', 'read', 'doc:1', { assertedGroups: groups }), call));
    expect(asserting(['user:bob'])).toMatchObject({
      code: 'INVALID_CONTEXT',
      metadata: { field: 'context.asserted_groups[0]' },
    });
    expect(asserting(['group:a', 'group:*'])).toMatchObject({
      code: 'INVALID_CONTEXT',
      metadata: { field: 'context.asserted_groups[1]' },
    });
    expect(asserting(Array.from({ length: maxAssertedGroups + 1 }, (_, i) => `group:${i}`))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });
});

describe('tenants', () => {
  it('are apart, have to be named where there are several, and only those that are served answer', async () => {
    const { commit, view, pdp } = await pdpWith(['acme', 'globex']);
    await commit('acme', [viewer, bound('user:alice', '*')]);
    expect(catching(() => pdp.view('globex', ''))).toMatchObject({ code: 'NOT_READY' });
    await commit('globex', [viewer]);
    expect(view('acme').check(query('user:alice', 'read', 'doc:1'), call).allowed).toBe(true);
    expect(view('globex').check(query('user:alice', 'read', 'doc:1'), call).allowed).toBe(false);
    expect(catching(() => pdp.view('', ''))).toMatchObject({ code: 'INVALID_TENANT', metadata: { field: 'tenant' } });
    expect(catching(() => pdp.view('initech', ''))).toMatchObject({ code: 'UNKNOWN_TENANT' });
    expect(catching(() => pdp.view('no such tenant', ''))).toMatchObject({ code: 'INVALID_TENANT' });
  });
});

describe('readiness', () => {
  it('comes with the last missing snapshot, and tells', async () => {
    const { commit, pdp } = await pdpWith(['acme', 'globex']);
    const told: boolean[] = [];
    pdp.readiness.onChange((ready) => told.push(ready));
    await commit('acme', [viewer]);
    expect([pdp.readiness.ready, told]).toEqual([false, []]);
    await commit('globex', [viewer]);
    expect([pdp.readiness.ready, told]).toEqual([true, [true]]);
  });
});

describe('at_least', () => {
  it('is answered at once where the revision is there, and waited for where it is not', async () => {
    const { commit, pdp, view } = await pdpWith(['default']);
    await commit('default', [viewer]);
    const [epoch] = view().revision.split('.');
    expect(pdp.view('', view().revision)).not.toBeInstanceOf(Promise);
    const waiting = pdp.view('', `${epoch}.2`) as Promise<View>;
    await commit('default', [bound('user:alice', '*')]);
    expect((await waiting).check(query('user:alice', 'read', 'doc:1'), call).allowed).toBe(true);
    expect(catching(() => pdp.view('', 'nonsense'))).toMatchObject({
      code: 'INVALID_REVISION_TOKEN',
      metadata: { field: 'at_least' },
    });
  });
});

describe('lists', () => {
  const docs = Array.from({ length: 25 }, (_, i) => ({ kind: 'object' as const, object: `doc:${i}` }));
  const question = { subject: 'user:alice', action: 'read', reach: 'inherited' as const, assertedGroups: [] };
  const all = (view: View, size: number, token: string): [string[], string] => {
    const { parts } = finish(view.listObjects(question, 'doc', { size, token }, { ...call, source: 'list_objects' }));
    const objects: string[] = [];
    for (let step = parts.next(); ; step = parts.next()) {
      if (step.done === true) return [objects, step.value];
      objects.push(...(step.value ?? []));
    }
  };

  it('come in pages that together hold every object once, although the graph changes in between', async () => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [viewer, bound('user:alice', 'doc:*'), ...docs]);
    const [first, token] = all(view(), 10, '');
    expect(first).toHaveLength(10);
    await commit(
      'default',
      [{ kind: 'object', object: 'doc:late' }],
      [{ op: 'delete', kind: 'object', key: 'doc:12' }],
    );
    const [second, token2] = all(view(), 10, token);
    const [third, end] = all(view(), 10, token2);
    expect(end).toBe('');
    const expected = docs.map((doc) => doc.object).filter((object) => object !== 'doc:12');
    expect([...first, ...second, ...third]).toEqual([...expected, 'doc:late']);
    expect(log.map((entry) => entry.results)).toEqual([10, 10, 5]);
  });

  it('say nothing of a next page when the last object is the last', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [viewer, bound('user:alice', 'doc:*'), ...docs]);
    expect(all(view(), 25, '')[1]).toBe('');
    expect(all(view(), 24, '')[1]).not.toBe('');
  });

  it('refuse a page token of another question, of a reloaded graph, or of nowhere', async () => {
    const { commit, view, store } = await pdpWith(['default']);
    await commit('default', [viewer, bound('user:alice', 'doc:*'), ...docs]);
    const [, token] = all(view(), 10, '');
    const other = { ...question, action: 'write' };
    expect(catching(() => finish(view().listObjects(other, 'doc', { size: 10, token }, call)))).toMatchObject({
      code: 'INVALID_PAGE_TOKEN',
    });
    expect(
      catching(() => finish(view().listObjects(question, 'doc', { size: 10, token: 'junk' }, call))),
    ).toMatchObject({
      code: 'INVALID_PAGE_TOKEN',
    });
    const elsewhere = await startPdp(['default']);
    await elsewhere.commit('default', [viewer]);
    expect(
      catching(() => finish(elsewhere.view().listObjects(question, 'doc', { size: 10, token }, call))),
    ).toMatchObject({
      code: 'LIST_CHANGED',
    });
    await elsewhere.close();
    await store.close();
  });

  it('of subjects come a thousand at a time where no size is asked, and refuse a page over the limit', async () => {
    const { commit, view } = await pdpWith(['default']);
    const many = Array.from({ length: defaultPageSize + 1 }, (_, i) => bound(`user:${i}`, 'doc:1'));
    await commit('default', [viewer, ...many]);
    const list = (size: number) =>
      finish(
        view().listSubjects({ action: 'read', object: 'doc:1', reach: 'inherited' }, 'user', { size, token: '' }, call),
      );
    expect(list(0).subjects).toHaveLength(defaultPageSize);
    expect(list(0).nextPageToken).not.toBe('');
    expect(catching(() => list(maxPageSize + 1))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      metadata: { field: 'page_size', limit: String(maxPageSize) },
    });
  });

  it('of subjects and actions are recorded with what was asked and how much was answered', async () => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [viewer, bound('user:alice', 'doc:1'), bound('user:bob', 'doc:1')]);
    const subjects = finish(
      view().listSubjects(
        { action: 'read', object: 'doc:1', reach: 'inherited' },
        'user',
        { size: 1, token: '' },
        { ...call, source: 'list_subjects' },
      ),
    );
    expect(subjects.subjects).toEqual(['user:alice']);
    const rest = finish(
      view().listSubjects(
        { action: 'read', object: 'doc:1', reach: 'inherited' },
        'user',
        { size: 1, token: subjects.nextPageToken },
        { ...call, source: 'list_subjects' },
      ),
    );
    expect([rest.subjects, rest.nextPageToken]).toEqual([['user:bob'], '']);
    expect(
      finish(view().listActions({ ...question, object: 'doc:1' }, { ...call, source: 'list_actions' })).actions,
    ).toEqual(['read']);
    expect(log.map((entry) => [entry.source, entry.subject, entry.action, entry.object, entry.results])).toEqual([
      ['list_subjects', 'user:*', 'read', 'doc:1', 1],
      ['list_subjects', 'user:*', 'read', 'doc:1', 1],
      ['list_actions', 'user:alice', '*', 'doc:1', 1],
    ]);
  });
});

describe('an explanation', () => {
  it('says in a sentence by which way the answer came about', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [
      viewer,
      { kind: 'role', name: 'editor', permissions: ['doc:write'], includes: ['viewer'] },
      { kind: 'member', group: 'group:sre', member: 'user:alice' },
      { kind: 'member', group: 'group:ops', member: 'group:sre' },
      { kind: 'object', object: 'folder:top' },
      { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:top' }] },
      bound('group:ops', 'folder:top', 'editor'),
    ]);
    const allowed = view().explain(query('user:alice', 'read', 'doc:1'), call);
    expect(allowed.summary).toBe(
      'user:alice may read doc:1: user:alice, through group:sre and group:ops, holds role editor on folder:top (above doc:1): editor, which includes viewer, which permits doc:read.',
    );
    const lacking = view().explain(query('user:alice', 'shred', 'doc:1'), call);
    expect(lacking.decision.reason).toBe('ROLE_LACKS_PERMISSION');
    expect(lacking.summary).toContain('but that role does not permit it');
    expect(view().explain(query('user:eve', 'read', 'doc:1'), call).summary).toContain('no binding');
  });
});
