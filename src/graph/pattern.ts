/**
 * Pattern scopes of one type, found by the id of an object. Globs are grouped by
 * the literal before their first star, so that a question looks at those whose
 * beginning fits, not at every pattern of the type.
 */
import type { Scope } from '../model/scope.ts';
import { compileGlob, matchesGlob } from './glob.ts';

/** Whether an id matches a pattern. */
export type IdMatcher = (id: string) => boolean;

/** Compiles an expression that must match the whole text, in linear time; throws PosternError INVALID_POLICY. */
export type RegexCompiler = (regex: string) => IdMatcher;

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
  if (scope.kind === 'regex') return compileRegex(scope.regex);
  if (scope.kind !== 'glob') return undefined;
  const glob = compileGlob(scope.pattern);
  return (id) => matchesGlob(glob, id);
}

/** Builds the index of one type from the scopes in use and their nodes. */
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

/** Appends to `into` the nodes of the patterns that match the id. */
export function matchPatterns(index: PatternIndex, id: string, into: number[]): void {
  for (const length of index.prefixLengths) {
    if (length > id.length) return;
    const group = index.byPrefix.get(id.slice(0, length));
    if (group === undefined) continue;
    for (const pattern of group) if (pattern.matches(id)) into.push(pattern.node);
  }
}
