/**
 * Links the lines of one tenant: puts a start record before the first one, and a seal behind them when it is time.
 * Used by both outlets, which write what comes out, or go back to where it stood.
 */
import { Chain, type ChainState } from './chain.ts';
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
  readonly #chain: Chain;
  readonly #before: Before;
  #started = false;
  #sealedAtMs: number;

  constructor(tenant: string, state: ChainState, before: Before, options: LinkerOptions) {
    this.#options = options;
    this.#tenant = tenant;
    this.#marks = createMarks(options.instance, tenant);
    this.#chain = new Chain(state);
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

  /** @param lastSeq The last number that these lines account for. */
  link(bodies: readonly string[], lastSeq: number): string[] {
    const chain = this.#chain;
    const lines: string[] = this.#started ? [] : [this.#start()];
    for (const body of bodies) lines.push(chain.link(body));
    chain.lastSeq = Math.max(chain.lastSeq, lastSeq);
    const { now, sealIntervalMs, sealLines } = this.#options;
    if (chain.linesSinceSeal >= sealLines || now() - this.#sealedAtMs >= sealIntervalMs) lines.push(...this.seal());
    return lines;
  }

  /** A seal over what is linked; nothing where one covers it already. */
  seal(): string[] {
    if (!this.isUnsealed) return [];
    const { now, sign } = this.#options;
    const chain = this.#chain;
    const nowMs = now();
    const sealed: Range = { first: chain.sealedSeq + 1, last: chain.lastSeq };
    const body = this.#marks.seal(sealed, chain.linesSinceSeal, nowMs);
    const line = chain.link(sign === undefined ? body : sign(chain.hash, body));
    chain.sealed();
    this.#sealedAtMs = nowMs;
    return [line];
  }

  /**
   * The lines that end the chain in order: what was given up, the end, and a seal over all; none where nothing began.
   * @param abandoned The numbers of what was given up.
   */
  stop(abandoned: Range | undefined): string[] {
    if (!this.#started && abandoned === undefined) return [];
    const nowMs = this.#options.now();
    const gap = abandoned === undefined ? [] : [this.#marks.gap(abandoned, 'abandoned', nowMs)];
    const lines = this.link(gap, abandoned?.last ?? 0);
    if (this.#options.sign !== undefined) lines.push(...this.seal());
    lines.push(this.#chain.link(this.#marks.stop(this.#chain.lastSeq, nowMs)));
    return lines;
  }

  /** Only the start record, where it has not been written yet. */
  begin(): string[] {
    return this.#started ? [] : [this.#start()];
  }

  /** The way back to where it stands now. */
  save(): () => void {
    const started = this.#started;
    const sealedAtMs = this.#sealedAtMs;
    const restore = this.#chain.save();
    return () => {
      this.#started = started;
      this.#sealedAtMs = sealedAtMs;
      restore();
    };
  }

  #start(): string {
    const { logFacts, lostMs, now } = this.#options;
    this.#started = true;
    const next = this.#chain.lastSeq + 1;
    return this.#chain.link(
      this.#marks.start({ next, after: this.#before, lostMs, log: logFacts(this.#tenant) }, now()),
    );
  }
}
