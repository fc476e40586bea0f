/**
 * Validation of changes by themselves, before they are applied: a draft throws at the first text that does not
 * compile, and this tells of all. Called by whoever commits, and by validate-changes.ts.
 */
import type { Change } from '../model/change.ts';
import { messageOf } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { parseScope, type ScopeInput, toScopeInput } from '../model/scope.ts';
import type { Compilers } from './validate-field-checks.ts';
import { createFieldCheck } from './validate-fields.ts';
import { createReport, type Validation } from './validate-report.ts';

/**
 * Everything that is wrong with the records and keys of changes, looked at one by one; `index` is the position in
 * `changes`. With no problems, applyChanges does not throw.
 * @param compilers The options of the snapshot that the changes are for.
 * @param maxProblems Default 1,000.
 */
export function checkChangeFields(changes: readonly Change[], compilers: Compilers, maxProblems?: number): Validation {
  const { report, add, result } = createReport(maxProblems);
  const checkRecord = createFieldCheck(compilers, report);
  changes.forEach((change, index) => {
    if (change.op === 'put') checkRecord({ record: change.record, index });
    else {
      const problem = problemOfKey(change);
      if (problem === undefined) return;
      const { kind, key } = change;
      add({ index, kind, key, field: [], message: `${quote(key)} is not the key of a ${kind}: ${problem}` });
    }
  });
  return result();
}

/** Names need no check: what is not legal is not there, and deleting what is not there is no change. */
function problemOfKey({ kind, key }: Extract<Change, { op: 'delete' }>): string | undefined {
  if (kind !== 'member' && kind !== 'binding') return undefined;
  const parts = parse(key);
  const wanted = kind === 'member' ? '["group:ops","user:bob"]' : '["user:bob","editor","doc:1","allow"]';
  const expected = `write it as entities have it, such as ${wanted}`;
  // Stores compare keys as text: one that is written in another way would delete here, and not there.
  if (!Array.isArray(parts) || JSON.stringify(parts) !== key) return expected;
  if (kind === 'member') return isTexts(parts, 2) ? undefined : expected;
  const [subject, role, scope, effect, ...name] = parts as unknown[];
  if (!isTexts([subject, role], 2) || (effect !== 'allow' && effect !== 'deny')) return expected;
  if (!isTexts(name, Math.min(name.length, 1))) return expected;
  return problemOfScope(scope);
}

function problemOfScope(input: unknown): string | undefined {
  const isInput =
    typeof input === 'string' ||
    (isObject(input) && (typeof input.object === 'string' || isTexts([input.type, input.regex], 2)));
  if (!isInput) return 'its scope is of no known form';
  try {
    const shortest = JSON.stringify(toScopeInput(parseScope(input as ScopeInput)));
    return shortest === JSON.stringify(input) ? undefined : `write its scope as ${shortest}`;
  } catch (error) {
    return messageOf(error);
  }
}

function parse(key: string): unknown {
  try {
    return JSON.parse(key);
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every((part) => typeof part === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
