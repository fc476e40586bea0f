// The memory of flat graphs, as far as it has bounds.
import { expect, test } from 'vitest';
import { GrowingBytes } from '../../src/graph/flat/arrays.ts';

test('bytes of which no 32 bits could tell the end are refused, before memory is taken for them', () => {
  const bytes = new GrowingBytes();
  // As if as many had come.
  bytes.length = 2 ** 31 - 10;
  expect(() => bytes.reserve(10)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
});
