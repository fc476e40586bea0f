/**
 * What every import must keep, whatever it imports: a valid graph, the same
 * decisions as before by two evaluators, and a policy file that gives the same
 * graph again. Called by the importers' tests.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { validate } from '../../src/graph/validate.ts';
import { compare } from '../../src/import/compare.ts';
import type { Import, Source } from '../../src/import/importer.ts';
import type { BindingRecord, EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { formatPolicy } from '../../src/policy-file/print.ts';
import { suggest } from '../../src/policy-file/suggest.ts';
import { check } from '../reference/evaluator.ts';
import { sameRecords } from '../reference/runs.ts';

/** Nothing imported here expires. */
export const now = 1_780_000_000_000;

/** A file of test/import/fixtures. */
export function fixture(path: string): Source {
  return { name: path, text: readFileSync(join(import.meta.dirname, 'fixtures', path), 'utf8') };
}

export function source(name: string, json: unknown): Source {
  return { name, text: JSON.stringify(json) };
}

/** Answers that differ between the old rules and the reference evaluator over the records. */
export function changedAnswers({ records, rules }: Import): readonly string[] {
  return rules.subjects.flatMap((subject) =>
    rules.questions.flatMap((question) => {
      const before = rules.allows(subject, question);
      const after = allowed(records, subject, question.action, question.object);
      return before === after ? [] : [`${subject} ${question.action} ${question.object}: ${before} became ${after}`];
    }),
  );
}

export function allowed(records: readonly EntityRecord[], subject: string, action: string, object: string): boolean {
  return check(records, { subject, action, object, reach: 'inherited', assertedGroups: [] }, now).allowed;
}

/** Asserts what holds for every import of legal input. */
export function expectFaithful(imported: Import): void {
  expect(validate(imported.records, { ...graphOptions, suggest }).problems).toEqual([]);
  expect(changedAnswers(imported)).toEqual([]);
  const { widened, narrowed } = compare(imported, now);
  expect({ widened, narrowed }).toEqual({ widened: 0, narrowed: 0 });
}

/** Asserts that the printed policy file is read back as the same graph. */
export function expectPrintable({ records }: Import): void {
  const parsed = parsePolicy(formatPolicy(records), 'imported.yaml');
  if (!parsed.ok) throw new Error(`the printed policy is refused: ${JSON.stringify(parsed.problems)}`);
  sameRecords(parsed.records, records);
}

export function bindingsOf({ records }: Import): readonly string[] {
  return records
    .filter((record): record is BindingRecord => record.kind === 'binding')
    .map(({ subject, role, scope, effect }) => `${effect ?? 'allow'} ${subject} ${role} ${JSON.stringify(scope)}`);
}

/** The message of the INVALID_REQUEST that must be thrown. */
export function refusalOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof PosternError && error.code === 'INVALID_REQUEST') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}
