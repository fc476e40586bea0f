/**
 * A batch in pieces that one call can carry, and who is to blame when a piece is not taken. Stores have limits for one
 * message, and what is wrong with one record must not cost its neighbours: a piece that is refused is tried again in
 * halves, down to the lines that are refused alone. Used by the sinks that send; no I/O of its own.
 */

/** Consecutive lines of a batch. */
export interface Piece {
  /** Whole lines, each ended by "\n". */
  readonly text: string;
  /** The position of the first of them in the batch. */
  readonly first: number;
}

/** What became of a piece: all of it is there, none of it ever will be, or some of it may be. */
export type Verdict = 'taken' | 'refused' | 'unclear';

/** Parts as pieces of at most `maxBytes` of UTF-8; a line that is longer is a piece of its own. */
export function* piecesOf(parts: readonly string[], maxBytes: number): Generator<Piece> {
  let first = 0;
  for (const text of parts) {
    if (isOver(text, maxBytes)) yield* cut({ text, first }, maxBytes);
    else yield { text, first };
    first += countLines(text);
  }
}

function* cut({ text, first }: Piece, maxBytes: number): Generator<Piece> {
  let from = 0;
  let lines = 0;
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at) + 1 || text.length;
    const size = Buffer.byteLength(text.slice(at, end));
    if (lines > 0 && bytes + size > maxBytes) {
      yield { text: text.slice(from, at), first };
      first += lines;
      from = at;
      lines = 0;
      bytes = 0;
    }
    lines++;
    bytes += size;
    at = end;
  }
  yield { text: text.slice(from), first };
}

/**
 * Sends a piece, and in halves what is unclear, the earlier half first, so that the order stays.
 * @param send Rejects where the answer says nothing about the lines; findRefused then rejects with the same.
 * @returns the positions in the batch of the lines that are refused, ascending
 */
export async function findRefused(piece: Piece, send: (text: string) => Promise<Verdict>): Promise<number[]> {
  const { text, first } = piece;
  const verdict = await send(text);
  if (verdict === 'taken') return [];
  const count = countLines(text);
  if (verdict === 'refused' || count === 1) return Array.from({ length: count }, (_, i) => first + i);
  const half = count >> 1;
  let at = 0;
  for (let i = 0; i < half; i++) at = text.indexOf('\n', at) + 1;
  const refused = await findRefused({ text: text.slice(0, at), first }, send);
  return refused.concat(await findRefused({ text: text.slice(at), first: first + half }, send));
}

/** Of a text whose lines are all ended. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  lines.pop();
  return lines;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** A UTF-16 unit takes at most three bytes, so that most texts need not be measured. */
function isOver(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}
