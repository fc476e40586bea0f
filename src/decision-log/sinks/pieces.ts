/**
 * A batch in pieces that one call can carry, and who is to blame when a piece is not taken. Stores have limits for one
 * message, and what is wrong with one record must not cost its neighbours: a piece that is refused is tried again in
 * halves, down to the lines that are refused alone. Used by the sinks that send; no I/O of its own.
 */

/** Consecutive lines of a batch. */
export interface Piece {
  /** Whole lines, without their ends. */
  readonly lines: readonly string[];
  /** The position of the first of them in the batch. */
  readonly first: number;
}

/** What became of a piece: all of it is there, none of it ever will be, or some of it may be. */
export type Verdict = 'taken' | 'refused' | 'unclear';

/** Parts as pieces of at most `maxBytes` of UTF-8, line ends included; a line that is longer is a piece of its own. */
export function* piecesOf(parts: readonly string[], maxBytes: number): Generator<Piece> {
  let first = 0;
  for (const part of parts) {
    const lines = part.split('\n');
    lines.pop();
    let from = 0;
    if (isOver(part, maxBytes)) {
      let bytes = 0;
      for (let i = 0; i < lines.length; i++) {
        const size = Buffer.byteLength(lines[i] as string) + 1;
        if (i > from && bytes + size > maxBytes) {
          yield { lines: lines.slice(from, i), first: first + from };
          from = i;
          bytes = 0;
        }
        bytes += size;
      }
    }
    yield { lines: from === 0 ? lines : lines.slice(from), first: first + from };
    first += lines.length;
  }
}

/**
 * Sends a piece, and in halves what is unclear, the earlier half first, so that the order stays.
 * @param send Rejects where the answer says nothing about the lines; findRefused then rejects with the same.
 * @returns the positions in the batch of the lines that are refused, ascending
 */
export async function findRefused(
  piece: Piece,
  send: (lines: readonly string[]) => Promise<Verdict>,
): Promise<number[]> {
  const { lines, first } = piece;
  const verdict = await send(lines);
  if (verdict === 'taken') return [];
  if (verdict === 'refused' || lines.length === 1) return lines.map((_, i) => first + i);
  const half = lines.length >> 1;
  const refused = await findRefused({ lines: lines.slice(0, half), first }, send);
  return refused.concat(await findRefused({ lines: lines.slice(half), first: first + half }, send));
}

/** A UTF-16 unit takes at most three bytes, so that most texts need not be measured. */
function isOver(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}
