// What a question has to try is bounded wherever a graph comes from: a writer that validates nothing is refused, too.
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { applyToEngine, engineOf } from '../reference/engine-adapter.ts';

const role: EntityRecord = { kind: 'role', name: 'caller', permissions: ['ep:call'] };
const onPath = (i: number, subject = 'user:alice'): EntityRecord => ({
  kind: 'binding',
  subject,
  role: 'caller',
  scope: { type: 'ep', regex: `/api/v${i}/users/[^/]+/(read|write|list)(/.*)?` },
});
const paths = (count: number) => Array.from({ length: count }, (_, i) => onPath(i));
const tooMuch = /the regular expressions of type ep take more than 10000 steps together/;

describe('regular expressions of one type', () => {
  test('may be some two hundred paths', () => {
    const snapshot = engineOf([role, ...paths(200)]);
    const ask = (object: string) =>
      decide(
        snapshot,
        { subject: 'user:alice', action: 'call', object, reach: 'inherited', assertedGroups: [] },
        1_800_000_000_000,
      ).allowed;
    expect([ask('ep:/api/v199/users/7/read'), ask('ep:/api/v200/users/7/read')]).toEqual([true, false]);
  });

  test('are counted once, however many are bound there', () => {
    const again = Array.from({ length: 200 }, (_, i) => onPath(i, 'user:bob'));
    expect(() => engineOf([role, ...paths(200), ...again])).not.toThrow();
  });

  test('are refused when they are too much, in a load and in a change', () => {
    expect(() => engineOf([role, ...paths(300)])).toThrow(tooMuch);
    const snapshot = engineOf([role, ...paths(200)]);
    const more = Array.from({ length: 100 }, (_, i) => ({ op: 'put', record: onPath(200 + i) }) as const);
    expect(() => applyToEngine(snapshot, more, 2)).toThrow(tooMuch);
  });
});
