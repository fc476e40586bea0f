import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, matchesGlob } from '../../src/graph/glob.ts';

/** The obvious matcher: a star is any prefix of what is left. */
function matchesNaively(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob[0] !== '*') return text !== '' && glob[0] === text[0] && matchesNaively(glob.slice(1), text.slice(1));
  for (let skip = 0; skip <= text.length; skip++) if (matchesNaively(glob.slice(1), text.slice(skip))) return true;
  return false;
}

describe('a glob', () => {
  it('matches exactly what the obvious matcher matches', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(glob, text, (pattern, input) => {
        expect(matchesGlob(compileGlob(pattern), input)).toBe(matchesNaively(pattern, input));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['/metadata/*', '/metadata/x/y', true],
    ['/metadata/*', '/metadata', false],
    ['Get*Item', 'GetItem', true],
    ['a*a', 'a', false],
    ['*', '', true],
    ['.', 'x', false],
    ['Read', 'read', false],
  ])('%s on %s: %s', (pattern, input, expected) => {
    expect(matchesGlob(compileGlob(pattern), input)).toBe(expected);
  });

  it('takes no longer for a pattern made to be slow', () => {
    const hostile = compileGlob(`${'a*'.repeat(500)}b`);
    const startedMs = performance.now();
    for (let i = 0; i < 1_000; i++) matchesGlob(hostile, 'a'.repeat(256));
    // A backtracking matcher would not end within the age of the universe; a thousand of these take some milliseconds.
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
