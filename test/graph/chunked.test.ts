import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chunked, chunksOf, find, insert, remove } from '../../src/graph/chunked.ts';

interface Item {
  readonly key: number;
  readonly value: number;
}

const byKey = (a: Item, b: Item): number => a.key - b.key;
const itemsOf = (list: Chunked<Item> | undefined): Item[] => [...chunksOf(list)].flat();

const steps = fc.array(fc.record({ put: fc.boolean(), key: fc.integer({ min: 0, max: 1_500 }), value: fc.integer() }), {
  maxLength: 3_000,
  size: 'max',
});

describe.each([
  ['copying', false],
  ['in place', true],
])('a chunked list, written %s', (_, inPlace) => {
  it('holds what a sorted map holds', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let chunked: Chunked<Item> | undefined;
        const map = new Map<number, Item>();
        for (const { put, key, value } of list) {
          const item = { key, value };
          if (put) map.set(key, item);
          else map.delete(key);
          chunked = put ? insert(chunked, item, byKey, inPlace) : remove(chunked, item, byKey, inPlace);
        }
        const expected = [...map.values()].sort(byKey);
        expect(itemsOf(chunked)).toEqual(expected);
        expect(chunked?.size ?? 0).toBe(expected.length);
        expect(chunked?.chunks.every((chunk) => chunk.length > 0) ?? true).toBe(true);
        for (const { key } of list) expect(find(chunked, { key, value: 0 }, byKey)).toBe(map.get(key));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a chunked list, written copying', () => {
  it('leaves the list that it started from as it was', () => {
    fc.assert(
      fc.property(steps, steps, (first, second) => {
        let base: Chunked<Item> | undefined;
        for (const { key, value } of first) base = insert(base, { key, value }, byKey, false);
        const before = itemsOf(base);
        let later = base;
        for (const { put, key, value } of second) {
          later = put ? insert(later, { key, value }, byKey, false) : remove(later, { key, value }, byKey, false);
        }
        expect(itemsOf(base)).toEqual(before);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps its chunks short, so that one change copies little', () => {
    let list: Chunked<Item> | undefined;
    for (let key = 0; key < 20_000; key++)
      list = insert(list, { key: (key * 7_919) % 20_000, value: key }, byKey, true);
    expect(Math.max(...(list?.chunks ?? []).map((chunk) => chunk.length))).toBeLessThan(257);
  });
});
