/**
 * Regular expressions of scopes and of conditions. Owns the RE2 library: matching takes time linear in the input,
 * whatever the expression, and in the size of the expression's program, which is bounded here. The parts list hands
 * compileRegex to the graph and to validation; it must never fall back to JavaScript's own RegExp, which a pattern can
 * stall.
 */
import { RE2JS } from 're2js';
import { messageOf, PosternError } from '../model/errors.ts';
import { maxNesting, maxRegexInstructions } from '../model/limits.ts';
import { quote } from '../model/names.ts';
import { regexSizeOf } from './check-size.ts';

/** Repetitions are counted without what alternatives share, so the text may look larger than its program is. */
const maxParts = 8 * maxRegexInstructions;

/** A test of whether an expression matches a whole text, and how many instructions its program has. */
export interface WholeTextRegex {
  readonly matches: (input: string) => boolean;
  readonly instructions: number;
}

/** Of what is kept, by text, the last used last: a graph that changes or is loaded again compiles nothing twice. */
const kept = new Map<string, WholeTextRegex>();
let keptInstructions = 0;
/** At some 150 bytes each. */
const mostKeptInstructions = 100_000;

/**
 * Compiles an RE2 expression; the last ones are kept.
 * @throws PosternError INVALID_POLICY, with the library's words for what is wrong
 */
export function compileRegex(text: string): WholeTextRegex {
  const known = kept.get(text);
  const regex = known ?? wholeText(text);
  kept.delete(text);
  kept.set(text, regex);
  if (known === undefined) keptInstructions += regex.instructions;
  for (const [oldest, { instructions }] of kept) {
    if (keptInstructions <= mostKeptInstructions) break;
    kept.delete(oldest);
    keptInstructions -= instructions;
  }
  return regex;
}

function wholeText(text: string): WholeTextRegex {
  const compiled = compile(text);
  // Not test(), which builds an automaton as it goes: up to 25 ms for each new input to (a|b)*a(a|b){1,90}c, where the
  // way that finds groups takes 1 ms.
  return { matches: (input) => compiled.matcher(input).matches(), instructions: compiled.programSize() };
}

/**
 * Compiles into tests of whether an expression matches anywhere in a text; the last few are kept.
 * @throws PosternError INVALID_POLICY, from what it gives
 */
export function regexFinder(kept: number): (text: string) => (input: string) => boolean {
  const finders = new Map<string, RE2JS>();
  return (text) => {
    const compiled = finders.get(text) ?? compile(text);
    finders.delete(text);
    finders.set(text, compiled);
    for (const oldest of finders.keys()) {
      if (finders.size <= kept) break;
      finders.delete(oldest);
    }
    return (input) => compiled.test(input);
  };
}

function compile(text: string): RE2JS {
  const refuse = (why: string, error?: unknown) =>
    new PosternError('INVALID_POLICY', `regular expression ${quote(text)} ${why}`, {}, error);
  const tooLarge = `is too large: it takes more than ${maxRegexInstructions} steps, each {n} written out; simplify it`;
  const { depth, parts } = regexSizeOf(text);
  if (depth > maxNesting) throw refuse(`nests too deeply: more than ${maxNesting} groups within each other`);
  // The library would take half a second to find out.
  if (parts > maxParts) throw refuse(tooLarge);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    // Where the stack ends is no property of the text: the depth should have refused it.
    if (error instanceof RangeError) throw refuse('nests too deeply; simplify it', error);
    throw refuse(`is not RE2 syntax: ${messageOf(error)}`, error);
  }
  if (compiled.programSize() > maxRegexInstructions) throw refuse(tooLarge);
  return compiled;
}
