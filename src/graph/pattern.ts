/**
 * Pattern scopes of one type, found by the id of an object. Globs are grouped by
 * the literal before their first star, so that a question looks at those whose
 * beginning fits, not at every pattern of the type.
 */
import { PosternError } from '../model/errors.ts';
import { maxTriedInstructions } from '../model/limits.ts';
import type { Scope } from '../model/scope.ts';
import { compileGlob, matchesGlob } from './glob.ts';

/** Whether an id matches a pattern. */
export type IdMatcher = (id: string) => boolean;

/** A regular expression that is ready to be asked. */
export interface CompiledRegex {
  /** Whether it matches the whole text, in time linear in that. */
  readonly matches: IdMatcher;
  /** How large it is, which is what matching costs for each character at most. */
  readonly instructions: number;
}

/** Throws PosternError INVALID_POLICY. */
export type RegexCompiler = (regex: string) => CompiledRegex;

export interface Pattern {
  readonly node: number;
  readonly matches: IdMatcher;
}

export interface PatternIndex {
  /** Lengths of prefixes in use, ascending. */
  readonly prefixLengths: readonly number[];
  readonly byPrefix: ReadonlyMap<string, readonly Pattern[]>;
}

/** The matcher of a glob or regular expression scope; undefined for other scopes. */
export function idMatcherOf(scope: Scope, compileRegex: RegexCompiler): IdMatcher | undefined {
  if (scope.kind === 'regex') return compileRegex(scope.regex).matches;
  if (scope.kind !== 'glob') return undefined;
  const glob = compileGlob(scope.pattern);
  return (id) => matchesGlob(glob, id);
}

/**
 * Why regular expressions are too much to try for one question, or undefined. Without a bound, some hundreds of legal
 * ones would make each question about an object with a new name take a second.
 * @param what They belong to: "type doc".
 */
export function problemOfTrying(instructions: number, what: string): string | undefined {
  if (instructions <= maxTriedInstructions) return undefined;
  return (
    `the regular expressions of ${what} take more than ${maxTriedInstructions} steps together; ` +
    'use globs, which are not counted, or fewer expressions'
  );
}

/** @throws PosternError INVALID_POLICY where the regular expressions among the scopes are too much to try together */
export function assertTriable(scopes: Iterable<Scope>, what: string, compileRegex: RegexCompiler): void {
  let instructions = 0;
  for (const scope of scopes) if (scope.kind === 'regex') instructions += compileRegex(scope.regex).instructions;
  const problem = problemOfTrying(instructions, what);
  if (problem !== undefined) throw new PosternError('INVALID_POLICY', problem, { limit: String(maxTriedInstructions) });
}

/** Builds the index of one type from the scopes in use and their nodes. @throws PosternError INVALID_POLICY */
export function createPatternIndex(scopes: ReadonlyMap<number, Scope>, compileRegex: RegexCompiler): PatternIndex {
  const byPrefix = new Map<string, Pattern[]>();
  for (const [node, scope] of scopes) {
    const matches = idMatcherOf(scope, compileRegex);
    if (matches === undefined) continue;
    const prefix = scope.kind === 'glob' ? compileGlob(scope.pattern).prefix : '';
    const group = byPrefix.get(prefix);
    if (group === undefined) byPrefix.set(prefix, [{ node, matches }]);
    else group.push({ node, matches });
  }
  const prefixLengths = [...new Set([...byPrefix.keys()].map((prefix) => prefix.length))].sort((a, b) => a - b);
  return { prefixLengths, byPrefix };
}

/** Adds the nodes of the patterns that match the id. */
export function matchPatterns(index: PatternIndex, id: string, into: { add(node: number): void }): void {
  for (const length of index.prefixLengths) {
    if (length > id.length) return;
    const group = index.byPrefix.get(id.slice(0, length));
    if (group === undefined) continue;
    for (const pattern of group) if (pattern.matches(id)) into.add(pattern.node);
  }
}
