/**
 * Globs in which `*` stands for any run of characters, also none; nothing else
 * is special. Matching looks for the literal pieces from left to right, which
 * is exact for this language and cannot blow up.
 */
export interface Glob {
  readonly text: string;
  /** The literal before the first `*`; the whole text where there is none. */
  readonly prefix: string;
  /** Pieces between stars, without the first and last; undefined for a literal. */
  readonly middle: readonly string[] | undefined;
  /** The literal after the last `*`; empty for a literal. */
  readonly suffix: string;
}

export function compileGlob(text: string): Glob {
  const pieces = text.split('*');
  if (pieces.length === 1) return { text, prefix: text, middle: undefined, suffix: '' };
  return {
    text,
    prefix: pieces[0] as string,
    middle: pieces.slice(1, -1).filter((piece) => piece !== ''),
    suffix: pieces[pieces.length - 1] as string,
  };
}

export function matchesGlob(glob: Glob, text: string): boolean {
  if (glob.middle === undefined) return glob.text === text;
  const end = text.length - glob.suffix.length;
  let from = glob.prefix.length;
  if (from > end || !text.startsWith(glob.prefix) || !text.endsWith(glob.suffix)) return false;
  for (const piece of glob.middle) {
    const found = text.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    from = found + piece.length;
  }
  return true;
}
