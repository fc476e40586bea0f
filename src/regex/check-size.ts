/**
 * How deep a regular expression nests, and about how large its program would be, counted in its text before anything
 * compiles it: compiling recurses by group, and writes counted repetitions out. Called by re2.ts. Text that is no RE2
 * may be counted wrongly, but only after the place where the parser gives up.
 */

export interface RegexSize {
  /** Most groups within each other. */
  readonly depth: number;
  /** Parts, each as often as counted repetitions write it out; alternatives that share a beginning count in full. */
  readonly parts: number;
}

const tokens = new RegExp(
  [
    /\\Q[\s\S]*?(?:\\E|$)/,
    /\\[pPx]\{[^}]*\}|\\[\s\S]/,
    /\[\^?\]?(?:\[:[\s\S]*?:\]|\\[pPx]\{[^}]*\}|\\[\s\S]|[^\]\\])*\]/,
    /\{\d{1,9}(?:,\d{0,9})?\}/,
    /[\s\S]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);

export function regexSizeOf(text: string): RegexSize {
  /** Parts before each open group. */
  const before: number[] = [];
  let depth = 0;
  let parts = 0;
  /** Of what a repetition would repeat. */
  let last = 0;
  for (const [token] of text.matchAll(tokens)) {
    const close = token === ')' ? before.pop() : undefined;
    if (token === '(') {
      before.push(parts);
      depth = Math.max(depth, before.length);
      parts = 0;
      last = 0;
    } else if (close !== undefined) {
      last = parts + 2;
      parts = close + last;
    } else if (token[0] === '{' && token.length > 1) {
      const more = last * (timesOf(token) - 1);
      parts += more;
      last += more;
    } else {
      last = token.startsWith('\\Q') ? token.length : 1;
      parts += last;
    }
  }
  return { depth, parts: parts + before.reduce((sum, open) => sum + open, 0) };
}

/** How often {n}, {n,} or {n,m} writes out what it repeats. */
function timesOf(repetition: string): number {
  const [least, most] = repetition.slice(1, -1).split(',');
  return Math.max(1, Number(least), Number(most ?? 0));
}
