import { expect, test } from 'vitest';
import { suggest } from '../../src/policy-file/suggest.ts';

test.each([
  ['edtior', ['viewer', 'editor'], 'editor'],
  ['raed', ['write', 'read'], 'read'],
  ['Viewer', ['viewer'], 'viewer'],
  ['dco', ['app', 'doc'], 'doc'],
  ['foldr', ['folder', 'older'], 'folder'],
  ['file', ['role'], undefined],
  ['printer', ['doc', 'folder'], undefined],
  ['a', [], undefined],
])('%s among %j is taken for %s', (name, candidates, expected) => {
  expect(suggest(name, candidates)).toBe(expected);
});
