/**
 * Links the lines of one tenant: puts a start record before the first one, and a seal behind them when it is time.
 * Used by both outlets, which write what comes out, or go back to where it stood.
 */
import { Chain, type ChainState } from './chain.ts';
import { LineWriter } from './line-writer.ts';
import { type Before, createMarks, type Marks, type Range } from './marks.ts';
import type { Signer } from './seal-key.ts';

export interface LinkerOptions {
  readonly instance: string;
  /** How this log is kept, as JSON, for start records. */
  readonly logFacts: (tenant: string) => string;
  /** With `crash` in a start record: how many milliseconds before it may be missing; undefined where nobody knows. */
  readonly lostMs: number | undefined;
  /** A chain is sealed when so many milliseconds have gone since the last seal, or so many lines. */
  readonly sealIntervalMs: number;
  readonly sealLines: number;
  readonly sign: Signer | undefined;
  readonly now: () => number;
}

export class Linker {
  readonly #options: LinkerOptions;
  readonly #tenant: string;
  readonly #marks: Marks;
  readonly #writer = new LineWriter();
  readonly #chain: Chain;
  readonly #before: Before;
  #started = false;
  #sealedAtMs: number;

  constructor(tenant: string, state: ChainState, before: Before, options: LinkerOptions) {
    this.#options = options;
    this.#tenant = tenant;
    this.#marks = createMarks(options.instance, tenant);
    this.#chain = new Chain(state, this.#writer);
    this.#before = before;
    this.#sealedAtMs = options.now();
  }

  /** Of the last line that was linked. */
  get hash(): string {
    return this.#chain.hash;
  }

  get lastSeq(): number {
    return this.#chain.lastSeq;
  }

  /** Whether lines are linked that no seal covers. */
  get isUnsealed(): boolean {
    return this.#chain.linesSinceSeal > 0;
  }

  /**
   * What this and the next three give is good until any of them is called again.
   * @param lastSeq The last number that these lines account for.
   */
  link(bodies: readonly string[], lastSeq: number): Buffer {
    this.#writer.begin();
    this.#link(bodies, lastSeq);
    return this.#writer.take();
  }

  /** A seal over what is linked; nothing where one covers it already. */
  seal(): Buffer {
    this.#writer.begin();
    this.#seal();
    return this.#writer.take();
  }

  /**
   * The lines that end the chain in order: what was given up, the end, and a seal over all; none where nothing began.
   * @param abandoned The numbers of what was given up.
   */
  stop(abandoned: Range | undefined): Buffer {
    this.#writer.begin();
    if (this.#started || abandoned !== undefined) {
      const nowMs = this.#options.now();
      const gap = abandoned === undefined ? [] : [this.#marks.gap(abandoned, 'abandoned', nowMs)];
      this.#link(gap, abandoned?.last ?? 0);
      if (this.#options.sign !== undefined) this.#seal();
      this.#chain.link(this.#marks.stop(this.#chain.lastSeq, nowMs));
    }
    return this.#writer.take();
  }

  /** Only the start record, where it has not been written yet. */
  begin(): Buffer {
    this.#writer.begin();
    this.#start();
    return this.#writer.take();
  }

  /** The way back to where it stands now. */
  save(): () => void {
    const started = this.#started;
    const sealedAtMs = this.#sealedAtMs;
    const restore = this.#chain.save();
    return () => {
      this.#started = started;
      this.#sealedAtMs = sealedAtMs;
      // A write that was given up may go on.
      this.#writer.leave();
      restore();
    };
  }

  #link(bodies: readonly string[], lastSeq: number): void {
    const chain = this.#chain;
    this.#start();
    for (const body of bodies) chain.link(body);
    chain.lastSeq = Math.max(chain.lastSeq, lastSeq);
    const { now, sealIntervalMs, sealLines } = this.#options;
    if (chain.linesSinceSeal >= sealLines || now() - this.#sealedAtMs >= sealIntervalMs) this.#seal();
  }

  #seal(): void {
    if (!this.isUnsealed) return;
    const { now, sign } = this.#options;
    const chain = this.#chain;
    const nowMs = now();
    const sealed: Range = { first: chain.sealedSeq + 1, last: chain.lastSeq };
    const body = this.#marks.seal(sealed, chain.linesSinceSeal, nowMs);
    chain.link(sign === undefined ? body : sign(chain.hash, body));
    chain.sealed();
    this.#sealedAtMs = nowMs;
  }

  #start(): void {
    if (this.#started) return;
    const { logFacts, lostMs, now } = this.#options;
    this.#started = true;
    const next = this.#chain.lastSeq + 1;
    const facts = { next, after: this.#before, lostMs, log: logFacts(this.#tenant) };
    this.#chain.link(this.#marks.start(facts, now()));
  }
}
