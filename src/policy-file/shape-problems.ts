/**
 * Zod's issues in the words of somebody who writes the file, with the place of each. Called by document.ts.
 * Where a value may have several forms, the problems of the form that was most probably meant are told.
 */
import * as z from 'zod';
import type { Path } from './problem.ts';
import { suggest } from './suggest.ts';

export interface ShapeProblem {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** The key that is missing from the mapping at `path`. */
  readonly missing?: string;
}

type Issue = z.core.$ZodIssue;

/** Checks data against a schema; no problems means that it has the schema's type. */
export function findShapeProblems(schema: z.ZodType, data: unknown): ShapeProblem[] {
  const result = schema.safeParse(data, { error: knownKeys });
  if (result.success) return [];
  const problems = result.error.issues.flatMap((issue) => explain(issue, [], data));
  // A key that was mistyped is also missing; to say both would be to say it twice.
  const meant = new Set(
    problems.flatMap(({ path, suggestion }) => (suggestion ? [identity([...path.slice(0, -1), suggestion])] : [])),
  );
  return problems.filter(
    (problem) => problem.missing === undefined || !meant.has(identity([...problem.path, problem.missing])),
  );
}

function identity(path: Path): string {
  return JSON.stringify(path);
}

/** An issue about an unknown key does not say which keys are known; its message carries them from here to explain. */
function knownKeys(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined;
  return issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape).join(' ') : '';
}

function explain(issue: Issue, base: Path, data: unknown): ShapeProblem[] {
  const path = [...base, ...(issue.path as Path)];
  const value = valueAt(data, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, issue.message.split(' ')));
    case 'invalid_union':
      return explainUnion(issue, path, value, data);
    case 'invalid_type':
      return [wrongType(path, value, [issue.expected])];
    case 'invalid_value': {
      const expected = issue.values.map(String);
      if (value === undefined) return [missing(path, `; write ${path.at(-1)}: ${expected[0]}`)];
      const suggestion =
        typeof value === 'string'
          ? suggest(
              value,
              issue.values.filter((one) => typeof one === 'string'),
            )
          : undefined;
      return [
        { path, part: 'value', message: `${nameOf(path)} must be ${listed(expected)}, not ${show(value)}`, suggestion },
      ];
    }
    case 'too_small':
      return [{ path, part: 'value', message: `${nameOf(path)} is empty` }];
    default:
      return [{ path, part: 'value', message: `${nameOf(path)} ${show(value)} ${issue.message}` }];
  }
}

function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, value: unknown, data: unknown): ShapeProblem[] {
  const isOfOtherType = (branch: readonly Issue[]) =>
    branch.some((one) => one.code === 'invalid_type' && one.path.length === 0);
  const near = issue.errors.filter((branch) => !isOfOtherType(branch)).sort((a, b) => weigh(a) - weigh(b))[0];
  if (near !== undefined) return near.flatMap((one) => explain(one, path, data));
  const expected = issue.errors.flatMap((branch) =>
    branch.flatMap((one) => (one.code === 'invalid_type' && one.path.length === 0 ? [one.expected] : [])),
  );
  return [wrongType(path, value, expected)];
}

/** A form of which a key is unknown is further from what was meant than one of which a key is missing. */
function weigh(branch: readonly Issue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1), 0);
}

function unknownKey(path: Path, key: string, known: readonly string[]): ShapeProblem {
  const suggestion = suggest(key, known);
  const hint = suggestion === undefined ? `; known here: ${known.filter((name) => name !== '$schema').join(', ')}` : '';
  return { path: [...path, key], part: 'key', message: `unknown key ${JSON.stringify(key)}${hint}`, suggestion };
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  boolean: 'true or false',
  number: 'a number',
};

function wrongType(path: Path, value: unknown, expected: readonly string[]): ShapeProblem {
  if (value === undefined) return missing(path, '');
  const names = [...new Set(expected.map((name) => typeNames[name] ?? name))].join(' or ');
  const quoted = expected.includes('string') && (typeof value === 'number' || typeof value === 'boolean');
  const hint = quoted ? `; put it in quotes: '${value}'` : '';
  return { path, part: 'value', message: `${nameOf(path)} must be ${names}, but ${kindOf(value)}${hint}` };
}

function missing(path: Path, hint: string): ShapeProblem {
  return {
    path: path.slice(0, -1),
    part: 'value',
    message: `${nameOf(path)} is missing${hint}`,
    missing: String(path.at(-1)),
  };
}

/** "role", an item of "bindings", or the file. */
function nameOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  if (typeof last === 'string') return JSON.stringify(last);
  const list = path.findLast((step) => typeof step === 'string');
  return list === undefined ? 'an item of the list' : `an item of ${JSON.stringify(list)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing is there';
  if (Array.isArray(value)) return 'it is a list';
  if (typeof value === 'object') return 'it is a mapping';
  return typeof value === 'string' ? `${show(value)} is text` : `${value} is a ${typeof value}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function listed(values: readonly string[]): string {
  const quoted = values.map((value) => (value === '1' ? value : JSON.stringify(value)));
  return quoted.length === 1 ? (quoted[0] as string) : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
