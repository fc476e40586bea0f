// What an import changes, found by asking both sides everything, with the reference instead of the engine.
import { expect } from 'vitest';
import { compare } from '../../src/import/compare.ts';
import type { Import } from '../../src/import/importer.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { formatPolicy } from '../../src/policy-file/print.ts';
import { check } from '../reference/evaluator.ts';

export const now = Date.UTC(2026, 5, 1);

/** One changed decision: "+ subject action object" for what is widened, "-" for what is narrowed. */
export type Change = string;

/** What the report names. */
export function reported(imported: Import): Change[] {
  return compare(imported, now)
    .differences.flatMap(({ subject, widened, narrowed }) => [
      ...widened.flatMap(({ action, objects }) => objects.map((object) => `+ ${subject} ${action} ${object}`)),
      ...narrowed.flatMap(({ action, objects }) => objects.map((object) => `- ${subject} ${action} ${object}`)),
    ])
    .sort();
}

/** What really changes, for these subjects and questions and an old system written down a second time. */
export function changed(
  imported: Import,
  subjects: readonly string[],
  allowed: (subject: string, action: string, object: string) => boolean,
): Change[] {
  const changes = new Set<Change>();
  for (const subject of subjects) {
    for (const { action, object } of imported.rules.questions) {
      const before = allowed(subject, action, object);
      const query = { subject, action, object, reach: 'inherited' as const, assertedGroups: [] };
      const after = check(imported.records, query, now).allowed;
      if (before !== after) changes.add(`${after ? '+' : '-'} ${subject} ${action} ${object}`);
    }
  }
  return [...changes].sort();
}

/** The records are a policy that is valid, and that reads back as the same records. */
export function expectValidPolicy({ records }: Import): void {
  const result = parsePolicy(formatPolicy(records), 'policy.yaml');
  expect(result.ok ? [] : result.problems).toEqual([]);
  if (result.ok) expect(formatPolicy(result.records)).toBe(formatPolicy(records));
}
