import { describe, expect, it } from 'vitest';
import { traceIdOf } from '../../src/server/trace.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the trace id of a traceparent', () => {
  it.each([
    ['a sampled one', `00-${id}-00f067aa0ba902b7-01`, id],
    ['one of a later version, with more fields', `cc-${id}-00f067aa0ba902b7-01-what-comes`, id],
    ['none', undefined, ''],
    ['an empty one', '', ''],
    ['one of zeros, which means none', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, ''],
    ['one that is too short', '00-4bf92f-00f067aa0ba902b7-01', ''],
    ['one in capitals', `00-${id.toUpperCase()}-00f067aa0ba902b7-01`, ''],
    ['one with something glued on', `00-${id}-00f067aa0ba902b7-01x`, ''],
  ])('%s', (_what, header, expected) => {
    expect(traceIdOf(header)).toBe(expected);
  });
});
