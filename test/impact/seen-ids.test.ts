import { expect, test } from 'vitest';
import { createIds } from '../../src/decision-log/ids.ts';
import { SeenIds } from '../../src/impact/seen-ids.ts';

test('an id that came before is told, and no other', () => {
  const nextId = createIds();
  const ids = Array.from({ length: 100_000 }, (_, i) => nextId(1_780_000_000_000 + Math.floor(i / 7)));
  const seen = new SeenIds();
  expect(ids.filter((id) => !seen.add(id))).toEqual([]);
  expect(ids.filter((id) => seen.add(id))).toEqual([]);
});

test('ids that differ in one character anywhere differ', () => {
  const seen = new SeenIds();
  const id = '01JABCDEFGHJKMNPQRSTVWXYZ0';
  const near = Array.from(id, (_, i) =>
    ['7', 'A', 'Z'].map((one) => `${id.slice(0, i)}${one}${id.slice(i + 1)}`),
  ).flat();
  const others = new Set([id, ...near]);
  expect([...others].filter((one) => !seen.add(one))).toEqual([]);
});

test('of more than it keeps, the newest are known', () => {
  const seen = new SeenIds(1_000);
  const ids = Array.from({ length: 3_500 }, (_, i) => `id-${i}`);
  for (const id of ids) seen.add(id);
  expect(ids.slice(-1_000).filter((id) => seen.add(id))).toEqual([]);
  expect(seen.add('id-0')).toBe(true);
});
