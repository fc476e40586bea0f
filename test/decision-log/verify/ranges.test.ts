import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ranges } from '../../../src/decision-log/verify/ranges.ts';

test('numbers are counted once, however their ranges overlap', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 8 }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (told) => {
      const ranges = new Ranges();
      const numbers = new Set<number>();
      for (const [first, more] of told) {
        const before = numbers.size;
        for (let number = first; number <= first + more; number++) numbers.add(number);
        expect(ranges.add(first, first + more)).toBe(numbers.size - before);
      }
    }),
  );
});
