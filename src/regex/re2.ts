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

/**
 * Compiles an RE2 expression into a test of whether it matches a whole text.
 * @throws PosternError INVALID_POLICY, with the library's words for what is wrong
 */
export function compileRegex(text: string): (input: string) => boolean {
  const compiled = compile(text);
  return (input) => compiled.testExact(input);
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
