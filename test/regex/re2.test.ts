import { expect, test } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { compileRegex, regexFinder } from '../../src/regex/re2.ts';

test.each([
  ['a|ab', 'ab', true],
  ['a', 'ab', false],
  ['a', 'ba', false],
  ['', '', true],
  ['v[0-9]+', 'v12', true],
  ['(?i)README', 'readme', true],
  ['.', '\u{1f600}', true],
])('%j matches the whole of %j: %j', (regex, input, expected) => {
  expect(compileRegex(regex).matches(input)).toBe(expected);
});

test('an expression that stalls backtracking engines is matched at once', () => {
  const { matches } = compileRegex('(a+)+b');
  expect(matches('a'.repeat(100_000))).toBe(false);
});

test.each(['(a', '(?=a)', '\\1', 'a{1001}', '[z-a]'])('%j is refused with the reason', (regex) => {
  expect(() => compileRegex(regex)).toThrow(PosternError);
  expect(() => compileRegex(regex)).toThrow(/^regular expression ".*" is not RE2 syntax: .+/);
});

const repeated = (open: string, times: number, middle: string, close: string) =>
  `${open.repeat(times)}${middle}${close.repeat(times)}`;

test.each([
  '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*',
  '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,63}',
  '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}',
  '\\x{1000}\\x{9999}+',
  '.{1,256}',
  repeated('(', 32, 'a', ')'),
  `\\Q${'('.repeat(100)}\\E[(${'('.repeat(100)}[:alpha:](]`,
])('%j is of a usual size', (regex) => {
  expect(compileRegex(regex).instructions).toBeLessThanOrEqual(600);
});

test.each([
  [`(${'a?'.repeat(480)}x?){2}`, /is too large: it takes more than 600 steps/],
  [`(${'a?'.repeat(500)}){1000}`, /is too large: it takes more than 600 steps/],
  ['a{0,1000}', /is too large/],
  ['(?:a{0,1000})'.repeat(78), /is too large/],
  [repeated('(', 33, 'a', ')'), /nests too deeply: more than 32 groups/],
  [repeated('(?:', 200, 'a', ')*'), /nests too deeply/],
  [`[](]${repeated('(', 33, 'a', ')')}`, /nests too deeply/],
])('%j is refused at once', (regex, why) => {
  const startedMs = performance.now();
  expect(() => compileRegex(regex)).toThrow(
    expect.objectContaining({ code: 'INVALID_POLICY', message: expect.stringMatching(why) }),
  );
  // Half a second, where the library is left to write out what is repeated.
  expect(performance.now() - startedMs).toBeLessThan(200);
});

test('a finder looks anywhere in a text, and forgets the oldest expression only', () => {
  const find = regexFinder(1);
  expect(find('b+')('abba')).toBe(true);
  expect(find('c')('abba')).toBe(false);
  expect(find('b+')('aa')).toBe(false);
});
