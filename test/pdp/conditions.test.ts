import { afterEach, describe, expect, it } from 'vitest';
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
