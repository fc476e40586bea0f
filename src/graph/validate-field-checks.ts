/**
 * The checks that the fields of several kinds share: names, notes, times and scopes. Called by validate-fields.ts and
 * validate-rule-fields.ts. They report, and never throw.
 */
import type { ConditionChecker } from '../model/condition.ts';
import { messageOf } from '../model/errors.ts';
import { maxConditionBytes, maxNoteBytes } from '../model/limits.ts';
import { problemOfName, problemOfText, quote } from '../model/names.ts';
import { parseScope, type Scope, type ScopeInput } from '../model/scope.ts';
import type { Placed, Problem, Report } from './validate-report.ts';

export type Field = Problem['field'];

/** What compiles the parts of records that are languages of their own; each throws, saying what is wrong. */
export interface Compilers {
  readonly compileRegex: (text: string) => { readonly instructions: number };
  readonly compileCondition: (text: string) => unknown;
  /** Throws nothing: what it returns is wrong. */
  readonly checkCondition: ConditionChecker;
}

export interface FieldChecks {
  readonly name: (at: Placed, field: Field, what: string, text: string, problem: string | undefined) => void;
  readonly note: (at: Placed, field: Field, text: string | undefined) => void;
  readonly expiry: (at: Placed, expiresAt: number | undefined) => void;
  /** The scope, or undefined where it is not legal. */
  readonly scope: (at: Placed, field: Field, input: ScopeInput) => Scope | undefined;
  /** `cascade: false` has a meaning on one object only; without a scope there is nothing to say. */
  readonly cascade: (at: Placed, field: Field, cascade: false | undefined, scope: Scope | undefined) => void;
  readonly condition: (at: Placed, field: Field, condition: string) => void;
  /** What the parser returns; where it throws, its message is reported. */
  readonly attempt: <T>(at: Placed, field: Field, parse: () => T) => T | undefined;
}

/** The last instant that RFC 3339 can write: the end of the year 9999. Snapshots keep 0 for "never". */
const maxInstant = 253_402_300_799_999;

export function createFieldChecks(compilers: Compilers, report: Report): FieldChecks {
  const problemOfRegex = createRegexCheck(compilers.compileRegex);

  function attempt<T>(at: Placed, field: Field, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      report(at, field, messageOf(error));
      return undefined;
    }
  }

  return {
    attempt,
    name: (at, field, what, text, problem) => {
      if (problem !== undefined) report(at, field, `${what} ${quote(text)} ${problem}`);
    },
    note: (at, field, text) => {
      if (text === undefined) return;
      const what = field.at(-1);
      if (!text.isWellFormed()) report(at, field, `${what} holds half of a surrogate pair, which is not a character`);
      if (text.length * 3 > maxNoteBytes && new TextEncoder().encode(text).length > maxNoteBytes) {
        report(at, field, `${what} is longer than ${maxNoteBytes} bytes; shorten it`);
      }
    },
    expiry: (at, expiresAt) => {
      if (expiresAt === undefined) return;
      if (Number.isInteger(expiresAt) && expiresAt > 0 && expiresAt <= maxInstant) return;
      const wanted = 'a time after 1970 and before the year 10000, in whole milliseconds';
      report(at, ['expiresAt'], `expiry ${expiresAt} is not ${wanted}`);
    },
    scope: (at, field, input) => {
      const scope = attempt(at, field, () => parseScope(input));
      if (scope?.kind !== 'regex') return scope;
      const problem = problemOfRegex(scope.regex);
      if (problem !== undefined) report(at, [...field, 'regex'], problem);
      return scope;
    },
    cascade: (at, field, cascade, scope) => {
      if (cascade !== false || scope === undefined || scope.kind === 'object') return;
      const why = 'this scope has no descendants to leave out';
      report(at, field, `cascade: false is for a binding on one object; ${why}`);
    },
    condition: (at, field, condition) => {
      const problem = problemOfText(condition, 'condition', maxConditionBytes);
      if (problem !== undefined) report(at, field, `condition ${quote(condition)} ${problem}`);
      else attempt(at, field, () => compilers.compileCondition(condition));
    },
  };
}

export const notAType = 'is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -';

/** What is wrong with the name of one group, or undefined. */
export function problemOfGroup(text: string): string | undefined {
  if (!text.startsWith('group:')) return 'is not a group; write it as "group:<id>"';
  return text === 'group:*' ? 'is a wildcard; name one group' : problemOfName(text);
}

/** Compiles each expression once, however many bindings use it. */
function createRegexCheck(compileRegex: (text: string) => unknown): (regex: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (regex) => {
    if (known.has(regex)) return known.get(regex);
    let problem: string | undefined;
    try {
      compileRegex(regex);
    } catch (error) {
      problem = messageOf(error);
    }
    known.set(regex, problem);
    return problem;
  };
}
