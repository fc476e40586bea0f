/**
 * The line before the first that was asked about, where its hash is known. What follows from it may come later than the
 * first, or is known to follow by a gap record that comes later. Used by the verifier of chains.
 */
import { hashOfLine, type Line } from './line.ts';

export class LineBefore {
  hash: string | undefined;
  #isFollowed = false;

  /** Whether a line is the one that follows; there is one only. */
  isFollowedBy({ hash, bytes, start, end }: Line): boolean {
    if (this.hash === undefined || this.#isFollowed) return false;
    this.#isFollowed = hashOfLine(this.hash, bytes, start, end) === hash;
    return this.#isFollowed;
  }

  /** Whether it is where lines were refused, so that what is behind those follows. @param from The hash before the first of them. */
  isAt(from: string): boolean {
    if (from !== this.hash) return false;
    this.#isFollowed = true;
    return true;
  }
}
