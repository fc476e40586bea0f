/**
 * How deep a condition nests, counted in its text before anything parses it. The parser and what comes after it recurse
 * by level, and where JavaScript's stack ends differs from process to process: it must never decide what is valid.
 * Called by cel.ts. Text that is no CEL may be counted wrongly, but only after the place where the parser gives up.
 */
import { PosternError } from '../model/errors.ts';
import { maxConditionSigns, maxNesting } from '../model/limits.ts';
import { quote } from '../model/names.ts';

// Strings first, the longest quotes before the others; a backslash in a raw string is nothing special.
const tokens = new RegExp(
  [
    /[rR](?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\r\n]*"|'[^'\r\n]*')/,
    /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''/,
    /"(?:\\[^\r\n]|[^"\\\r\n])*"|'(?:\\[^\r\n]|[^'\\\r\n])*'/,
    /\/\/[^\r\n]*[\r\n]/,
    /!+|-+/,
    /[([{)\]},?]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** @throws PosternError INVALID_POLICY */
export function checkNesting(text: string): void {
  const refuse = (why: string): never => {
    throw new PosternError('INVALID_POLICY', `condition ${quote(text)} ${why}`);
  };
  /** The depth around each open bracket. */
  const around: number[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(tokens)) {
    switch (token[0]) {
      case '(':
      case '[':
      case '{':
        around.push(depth++);
        break;
      case ')':
      case ']':
      case '}':
        depth = around.pop() ?? 0;
        break;
      case ',':
        depth = (around.at(-1) ?? -1) + 1;
        break;
      // What follows the colon is an expression of its own, and may be the next a ? b : c.
      case '?':
        depth++;
        break;
      case '!':
      case '-':
        if (token.length > maxConditionSigns) {
          refuse(`has ${token.length} times "${token[0]}" in a row; at most ${maxConditionSigns} are taken`);
        }
    }
    if (depth > maxNesting) {
      refuse(`nests too deeply: more than ${maxNesting} brackets or "?" within each other; simplify it`);
    }
  }
}
