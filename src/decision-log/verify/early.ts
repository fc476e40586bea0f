/**
 * Lines that stand before those that they follow from. Where a batch was written
 * half and then again as a whole, they come once more, in order, and that is no
 * problem; otherwise somebody has moved lines. Used by the verifier of chains.
 */
import type { Findings, Placed } from './findings.ts';
import type { Run } from './run.ts';

export class EarlyLines {
  readonly #findings: Findings;
  #waiting: { readonly hash: string; readonly placed: Placed }[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** A run that has just been tied behind lines that came after it. */
  add({ first }: Run): void {
    const problem = this.#findings.of(first, 'reordered', 'stands before the lines that it follows from');
    this.#waiting.push({ hash: first.hash, placed: { ordinal: first.ordinal, problem } });
  }

  /** @param hash Of the next line of the chain; empty where none comes. */
  settle(hash: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting[0]?.hash === hash) return;
    for (const { placed } of waiting) this.#findings.add(placed.ordinal, placed.problem);
  }
}
