import { afterEach, describe, expect, it } from 'vitest';
import { finish } from '../../src/engine/steps.ts';
import type { Attributes } from '../../src/model/condition.ts';
import type { BindingRecord, EntityRecord } from '../../src/model/entity.ts';
import { maxAttributeElements, maxAttributesLength } from '../../src/model/limits.ts';
import { bound, call, catching, type PdpHarness, query, startPdp, viewer } from './harness.ts';

let running: PdpHarness | undefined;
afterEach(() => running?.close());

async function pdpWith(...args: Parameters<typeof startPdp>): Promise<PdpHarness> {
  running = await startPdp(...args);
  return running;
}

describe('a condition', () => {
  const conditional = (condition: string, effect?: 'deny'): EntityRecord => ({
    ...(bound('user:alice', '*') as BindingRecord),
    condition,
    ...(effect === undefined ? {} : { effect }),
  });
  const read = (attributes?: Attributes) => query('user:alice', 'read', 'doc:1', { attributes });

  it('that lacks an attribute is an error that the caller sees and that is not recorded, never an answer', async () => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [viewer, conditional('context.level > 1')]);
    expect(catching(() => view().check(read(), call))).toMatchObject({
      code: 'CONDITION_FAILED',
      metadata: { field: 'context.attributes' },
    });
    expect(log).toEqual([]);
    expect(view().check(read({ level: 2 }), call).allowed).toBe(true);
    expect(log[0]?.attributes).toEqual({ level: 2 });
  });

  it('matters only where the answer hangs on it', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [viewer, bound('user:alice', 'doc:*'), conditional('context.level > 1')]);
    expect(view().check(read(), call).allowed).toBe(true);
    await commit('default', [conditional('context.blocked', 'deny')]);
    expect(catching(() => view().check(read(), call))).toMatchObject({ code: 'CONDITION_FAILED' });
    expect(view().check(read({ blocked: true }), call).reason).toBe('EXPLICIT_DENY');
  });

  it('sees attributes within limits', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [viewer]);
    const long = { text: 'x'.repeat(maxAttributesLength) };
    const wide = { list: Array.from({ length: maxAttributeElements + 1 }, (_, i) => i) };
    for (const attributes of [long, wide]) {
      expect(catching(() => view().check(read(attributes), call, 'checks[2].'))).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        metadata: { field: 'checks[2].context.attributes' },
      });
    }
  });
});

describe('attributes that are declared', () => {
  const declared: readonly EntityRecord[] = [
    ['level', 'int'],
    ['until', 'timestamp'],
    ['client.ip', 'string'],
    ['tags', 'list(string)'],
  ].map(([name = '', type = '']) => ({ kind: 'attribute', name, type }));
  const trusted: EntityRecord = { ...(bound('user:alice', '*') as BindingRecord), condition: 'context.level % 2 == 0' };
  const read = (attributes?: Attributes) => query('user:alice', 'read', 'doc:1', { attributes });

  it('reach conditions as what they are declared to be, and the record as what was sent', async () => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [viewer, trusted]);
    expect(catching(() => view().check(read({ level: 2 }), call))).toMatchObject({ code: 'CONDITION_FAILED' });
    await commit('default', declared);
    expect(view().check(read({ level: 2 }), call).allowed).toBe(true);
    expect(view().check(read({ level: 3 }), call).reason).toBe('CONDITION_NOT_MET');
    expect(log[0]?.attributes).toEqual({ level: 2 });
    const [action, object, reach] = ['read', 'doc:1', 'inherited'] as const;
    const listed = finish(
      view().listSubjects({ action, object, reach, attributes: { level: 2 } }, '', { size: 0, token: '' }, call),
    );
    expect(listed.subjects).toEqual(['user:alice']);
  });

  it.each<[Attributes, string, string]>([
    [{ level: 1.5 }, '.level', ' is 1.5; the policy declares it as int: send a whole number'],
    [{ level: '2' }, '.level', ' is "2"; the policy declares it as int'],
    [{ level: null }, '.level', ' is null; the policy declares it as int'],
    [{ until: 'tomorrow' }, '.until', ' is "tomorrow"; the policy declares it as timestamp: send an instant'],
    [{ 'client.ip': 7 }, '["client.ip"]', ' is 7; the policy declares it as string: send text'],
    [{ tags: ['a', 2] }, '.tags[1]', ' is 2; the policy declares it as string'],
    [{ tags: 'a' }, '.tags', ' is "a"; the policy declares it as list: send a list'],
  ])('are refused as %j, whatever asks', async (attributes, place, why) => {
    const { commit, view, log } = await pdpWith(['default']);
    await commit('default', [viewer, trusted, ...declared]);
    const refusal = (prefix: string) => ({
      code: 'INVALID_CONTEXT',
      message: expect.stringContaining(`${prefix}context.attributes${place}${why}`),
      metadata: { field: `${prefix}context.attributes${place}` },
    });
    const [action, object, reach, page] = ['read', 'doc:1', 'inherited', { size: 0, token: '' }] as const;
    expect(catching(() => view().check(read(attributes), call, 'checks[2].'))).toMatchObject(refusal('checks[2].'));
    expect(catching(() => view().explain(read(attributes), call))).toMatchObject(refusal('check.'));
    expect(catching(() => finish(view().listObjects(read(attributes), 'doc', page, call)))).toMatchObject(refusal(''));
    expect(catching(() => finish(view().listActions(read(attributes), call)))).toMatchObject(refusal(''));
    expect(
      catching(() => finish(view().listSubjects({ action, object, reach, attributes }, '', page, call))),
    ).toMatchObject(refusal(''));
    expect(log).toEqual([]);
  });

  it('leave alone what is sent besides: callers ask several tenants', async () => {
    const { commit, view } = await pdpWith(['default']);
    await commit('default', [viewer, trusted, ...declared]);
    expect(view().check(read({ level: 2, other: ['anything', 1], tags: [] }), call).allowed).toBe(true);
  });
});
