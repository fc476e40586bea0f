// Random declarations of the attributes that the conditions of random graphs name.
import fc from 'fast-check';
import type { EntityRecord } from '../../src/model/entity.ts';

/** Types that those conditions can live with, and others: only a valid graph has none of the others. */
export const attribute: fc.Arbitrary<EntityRecord> = fc
  .constantFrom(
    ['level', 'int'],
    ['level', 'double'],
    ['level', 'dyn'],
    ['until', 'timestamp'],
    ['until', 'string'],
    ['vip', 'bool'],
    ['vip', 'list(string)'],
  )
  .map(([name = '', type = '']) => ({ kind: 'attribute', name, type }));
