/**
 * Regular expressions of scopes. Owns the RE2 library: matching takes time
 * linear in the input, whatever the expression. The parts list hands
 * compileRegex to the graph and to validation; it must never fall back to
 * JavaScript's own RegExp, which a pattern can stall.
 */
import { RE2JS } from 're2js';
import { messageOf, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';

/**
 * Compiles an RE2 expression into a test of whether it matches a whole text.
 * @throws PosternError INVALID_POLICY, with the library's words for what is wrong
 */
export function compileRegex(text: string): (input: string) => boolean {
  const compiled = compile(text);
  return (input) => compiled.testExact(input);
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    throw new PosternError(
      'INVALID_POLICY',
      `regular expression ${quote(text)} is not RE2 syntax: ${messageOf(error)}`,
      {},
      error,
    );
  }
}
