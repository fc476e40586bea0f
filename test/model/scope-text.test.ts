import { expect, test } from 'vitest';
import { parseScopeFilter } from '../../src/admin/reads/check-filter.ts';
import { scopeDraftOf } from '../../src/model/scope-text.ts';

test.each(['*', 'doc:a', 'doc:a*'])('%s is a scope as it stands', (text) => {
  expect(scopeDraftOf(text)).toBe(text);
});

test('the longest legal expression fits, every character escaped', () => {
  const scope = { type: 't'.repeat(128), regex: '\\'.repeat(1024) };
  expect(scopeDraftOf(JSON.stringify(scope))).toEqual(scope);
});

const deep = (depth: number) => `{"object":${'['.repeat(depth)}${']'.repeat(depth)}}`;

test.each<[string, RegExp]>([
  [deep(100_000), /has an? scope of more than 2304 bytes; shorten it/],
  [deep(1_000), /has a field "object" that is not text; write/],
  ['{"object":', /is not JSON/],
  ['{"__proto__":{"object":"doc:x"}}', /has a field "__proto__", which no scope has/],
  ['{"__proto__":"doc:x"}', /has a field "__proto__", which no scope has/],
  ['{"object":{}}', /has a field "object" that is not text/],
])('%.40s is refused, also as a filter', (text, why) => {
  expect(() => scopeDraftOf(text)).toThrow(why);
  expect(() => parseScopeFilter(text)).toThrow(
    expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringMatching(why) }),
  );
});
