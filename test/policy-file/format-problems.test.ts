import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatProblem, formatProblems } from '../../src/policy-file/format-problems.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { type PolicyProblem, rejectFile } from '../../src/policy-file/problem.ts';

const problem: PolicyProblem = {
  file: 'policy.yaml',
  line: 12,
  column: 11,
  message: 'unknown role "edtior"',
  suggestion: 'editor',
  path: ['bindings', 0, 'role'],
  sourceLine: '    role: edtior',
};

test('a problem shows its place, what was meant, the line and a caret', () => {
  expect(formatProblem(problem)).toBe(
    [
      'policy.yaml:12:11: unknown role "edtior" (did you mean "editor"?)',
      '  12 |     role: edtior',
      '     |           ^',
    ].join('\n'),
  );
});

test('with colour it is the same text', () => {
  const coloured = formatProblem(problem, { colour: true });
  expect(coloured).toContain('\u001b[');
  expect(stripVTControlCharacters(coloured)).toBe(formatProblem(problem));
});

test('a problem of the file itself has no line', () => {
  expect(formatProblems(rejectFile('policy.yaml', 'cannot be read: there is no such file'))).toBe(
    'policy.yaml: cannot be read: there is no such file',
  );
});

test('the caret stands below the place where a line is indented by tabs or holds control characters', () => {
  const tabbed = formatProblem({ ...problem, column: 3, sourceLine: '\ta\u001b[2Jb' });
  expect(tabbed.split('\n').slice(1)).toEqual(['  12 | \ta\ufffd[2Jb', '     | \t ^']);
});

test('a line that is too long to show is left out past the column', () => {
  expect(formatProblem({ ...problem, column: 500, sourceLine: 'x'.repeat(600) }).split('\n')).toHaveLength(1);
});

test('those left out are counted', () => {
  expect(formatProblems({ problems: [], omitted: 7 })).toBe('... and 7 more');
});

test('a warning says that it is one', () => {
  const result = parsePolicy("version: 1\ngroups: {'group:ops': []}", 'p.yaml');
  const lines = result.ok ? result.warnings.map((warning) => formatProblem(warning, { label: 'warning' })) : [];
  expect(lines.map((line) => line.split('\n')[0])).toEqual([
    'p.yaml:2:10: warning: the key of a group is its id without the type; this one is group:group:ops (did you mean "ops"?)',
  ]);
});
