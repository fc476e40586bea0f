/**
 * The hash chain of one tenant's lines: every line carries the hash of itself and of all before it, so that what was
 * changed, removed or moved shows. Outlets link every line here, in the order in which it is written; nothing here
 * does I/O. The rule is in docs/decision-log.md.
 */
import { hash } from 'node:crypto';
import { hashKey, hashLength, type LineWriter, lineEnd } from './line-writer.ts';

/** Where a chain stands; all that its next line depends on. */
export interface ChainState {
  /** Of the last line; empty before the first. */
  readonly hash: string;
  /** The last number that was given to a decision, or is accounted for by a gap. */
  readonly lastSeq: number;
}

export const newChain: ChainState = { hash: '', lastSeq: 0 };

export class Chain {
  readonly #writer: LineWriter;
  #hash: string;
  /** The last number that the lines so far account for. */
  lastSeq: number;
  /** The last number at the last seal, and the lines linked since then, or since this process began. */
  sealedSeq: number;
  linesSinceSeal = 0;

  /** @param writer Where its lines are written. */
  constructor(state: ChainState, writer: LineWriter) {
    this.#writer = writer;
    this.#hash = state.hash;
    this.lastSeq = state.lastSeq;
    this.sealedSeq = state.lastSeq;
  }

  get hash(): string {
    return this.#hash;
  }

  /**
   * Writes a line, linked to the one before.
   * @param body The line's JSON without the brace that ends it.
   */
  link(body: string): void {
    this.#hash = this.#writer.write(this.#hash, body);
    this.linesSinceSeal++;
  }

  /** Marks what is linked so far as sealed. */
  sealed(): void {
    this.sealedSeq = this.lastSeq;
    this.linesSinceSeal = 0;
  }

  /** What to go back to where lines could not be written. */
  save(): () => void {
    const { lastSeq, sealedSeq, linesSinceSeal } = this;
    const last = this.#hash;
    return () => {
      this.#hash = last;
      this.lastSeq = lastSeq;
      this.sealedSeq = sealedSeq;
      this.linesSinceSeal = linesSinceSeal;
    };
  }
}

/** The hash that a line carries; of a whole line that was linked here, ended by a newline. */
export function hashOf(line: string): string {
  return line.slice(-hashLength - lineEnd.length, -lineEnd.length);
}

/** Whether a line follows from the one before it; both whole, ended by newlines. */
export function isLinked(before: string, line: string): boolean {
  const body = line.slice(0, -hashLength - lineEnd.length - hashKey.length);
  return hash('sha256', hashOf(before) + body, 'base64url') === hashOf(line);
}
