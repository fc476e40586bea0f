// The file that docs/authentication.md shows is one that is taken.
import { expect, test } from 'vitest';
import { parseAuthFile } from '../../src/authn/auth-file.ts';
import { formatProblems } from '../../src/policy-file/format-problems.ts';
import { blockWith, readPage } from '../docs/pages.ts';

test('the file that the document shows is valid', () => {
  const result = parseAuthFile(blockWith(readPage('docs/authentication.md'), 'yaml', 'tokens:'), 'auth.yaml');
  if (!result.ok) throw new Error(formatProblems(result));
  const { tokens, issuers, certificates } = result.file;
  expect([tokens.size, issuers.size, certificates.length]).toEqual([1, 1, 2]);
});
