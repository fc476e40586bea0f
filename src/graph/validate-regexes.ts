/**
 * Validation of what regular expressions cost together: a question may have to try all those of the scopes of a type, and
 * all those of a role. Called by validate.ts; one that does not compile is reported elsewhere.
 */
import type { BindingRecord, EntityRecord, RoleRecord } from '../model/entity.ts';
import { problemOfTrying } from './pattern.ts';
import type { Compilers } from './validate-field-checks.ts';
import type { Placed, Report } from './validate-report.ts';

type CompileRegex = Compilers['compileRegex'];

/** Tells of a type where the binding stands that makes it too much, and of a role where that stands. */
export function checkRegexes(records: readonly EntityRecord[], compileRegex: CompileRegex, report: Report): void {
  const types = new Map<string, Tried>();
  records.forEach((record, index) => {
    if (record.kind === 'binding') checkBinding(types, { record, index }, compileRegex, report);
    else if (record.kind === 'role') checkRole({ record, index }, compileRegex, report);
  });
}

/** Expressions that are tried together. */
interface Tried {
  readonly regexes: Set<string>;
  instructions: number;
  told: boolean;
}

function checkBinding(
  types: Map<string, Tried>,
  at: Placed<BindingRecord>,
  compileRegex: CompileRegex,
  report: Report,
): void {
  const { scope } = at.record;
  if (typeof scope === 'string' || !('regex' in scope)) return;
  let tried = types.get(scope.type);
  if (tried === undefined) {
    tried = { regexes: new Set(), instructions: 0, told: false };
    types.set(scope.type, tried);
  }
  if (tried.told || tried.regexes.has(scope.regex)) return;
  tried.regexes.add(scope.regex);
  tried.instructions += instructionsOf(scope.regex, compileRegex);
  const problem = problemOfTrying(tried.instructions, `type ${scope.type}`);
  if (problem === undefined) return;
  tried.told = true;
  report(at, ['scope', 'regex'], problem);
}

function checkRole(at: Placed<RoleRecord>, compileRegex: CompileRegex, report: Report): void {
  let instructions = 0;
  for (const permission of at.record.permissions) {
    const objects = typeof permission === 'string' ? undefined : permission.objects;
    if (typeof objects !== 'object' || !('regex' in objects)) continue;
    instructions += instructionsOf(objects.regex, compileRegex);
  }
  const problem = problemOfTrying(instructions, `role ${at.record.name}`);
  if (problem !== undefined) report(at, ['permissions'], problem);
}

function instructionsOf(regex: string, compileRegex: CompileRegex): number {
  try {
    return compileRegex(regex).instructions;
  } catch {
    return 0;
  }
}
