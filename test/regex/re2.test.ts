import { expect, test } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { compileRegex } from '../../src/regex/re2.ts';

test.each([
  ['a|ab', 'ab', true],
  ['a', 'ab', false],
  ['a', 'ba', false],
  ['', '', true],
  ['v[0-9]+', 'v12', true],
  ['(?i)README', 'readme', true],
  ['.', '\u{1f600}', true],
])('%j matches the whole of %j: %j', (regex, input, expected) => {
  expect(compileRegex(regex)(input)).toBe(expected);
});

test('an expression that stalls backtracking engines is matched at once', () => {
  const matches = compileRegex('(a+)+b');
  expect(matches('a'.repeat(100_000))).toBe(false);
});

test.each(['(a', '(?=a)', '\\1', 'a{1001}', '[z-a]'])('%j is refused with the reason', (regex) => {
  expect(() => compileRegex(regex)).toThrow(PosternError);
  expect(() => compileRegex(regex)).toThrow(/^regular expression ".*" is not RE2 syntax: .+/);
});
