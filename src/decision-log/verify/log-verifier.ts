/**
 * Verifies a log: sorts lines by chain and hands each to the verifier of its
 * chain. It is given the lines of one source after the other (a series of files,
 * a stream), in the order in which they stand there, and knows nothing of where
 * they come from. `postern audit verify` uses it, and so may a service.
 */
import { messageOf } from '../../model/errors.ts';
import { ChainVerifier } from './chain-verifier.ts';
import { Findings, type Placed } from './findings.ts';
import { type Line, LineReader, whereOf } from './line.ts';
import type { ChainReport, Report } from './report.ts';
import type { SealKeys } from './seals.ts';
import { type Garbage, TornLines } from './torn.ts';
import { UnchainedVerifier } from './unchained.ts';

export interface VerifyOptions {
  readonly keys: SealKeys;
  readonly tenants?: readonly string[];
  readonly instance?: string;
  /** RFC 3339 in UTC with milliseconds: of each chain, from its first line there on, and up to its first line there. */
  readonly since?: string;
  readonly until?: string;
  /** What has to be there: an instance's number, or the hash of a line. */
  readonly expected?: readonly Expected[];
  /** By tenant and instance, as chainKey gives: the hash of the line before the first, where it is known. */
  readonly previous?: ReadonlyMap<string, string>;
  /** Told of every line that is in the range, before it is verified; the bytes are valid during the call. */
  readonly onLine?: (line: Pick<Line, 'bytes' | 'start' | 'end'>) => void;
}

export interface Expected {
  readonly instance?: string;
  readonly seq?: number;
  readonly hash?: string;
}

/** One chain, and where it is in the range that was asked for. */
interface Chain {
  readonly tenant: string;
  readonly instance: string;
  chained: ChainVerifier | undefined;
  unchained: UnchainedVerifier | undefined;
  isBegun: boolean;
  isEnded: boolean;
  previous: string | undefined;
  /** The hashes of the last lines before the range: copies of them may come in it. */
  readonly earlier: Set<string>;
}

const newline = 0x0a;
const maxProblems = 1_000;
const maxNotes = 100;
/** When the windows of all chains together hold more lines, those of chains that were not heard of for a while are emptied. */
const maxWindowLines = 500_000;
const linesBetweenLooks = 65_536;
/** As many as a chain remembers. */
const maxEarlier = 16_384;

export function chainKey(tenant: string, instance: string): string {
  return `${tenant}\n${instance}`;
}

export class LogVerifier {
  readonly #options: VerifyOptions;
  readonly #reader = new LineReader();
  readonly #chains = new Map<string, Chain>();
  #chain: Chain | undefined;
  /** Whether the last record was not asked about: then what is no record is not either, as far as can be told. */
  #isOutside = false;
  readonly #hashesSeen = new Set<string>();
  readonly #hashesExpected: ReadonlySet<string>;
  /** Of the log as a whole. */
  readonly #findings = new Findings('', '');
  readonly #notes: { where: string; note: string }[] = [];
  readonly #torn = new TornLines(
    ({ where }, note) => this.#note(where, note),
    ({ where, ordinal, problem }) =>
      this.#findings.add(ordinal, this.#findings.of({ seq: 0, id: '', where }, 'garbage', problem)),
  );
  readonly #parse = () => {
    this.#reader.parse();
  };

  constructor(options: VerifyOptions) {
    this.#options = options;
    const hashes = (options.expected ?? []).map(({ hash }) => hash).filter((hash) => hash !== undefined);
    this.#hashesExpected = new Set(hashes);
  }

  /** How many lines were read. */
  get lines(): number {
    return this.#reader.line.ordinal;
  }

  /**
   * Whole lines, each with its newline.
   * @param offset Where they begin in the source.
   */
  addLines(source: string, bytes: Buffer, offset: number): void {
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      if (end > start) this.addLine(source, offset + start, bytes, start, end);
      start = end + 1;
    }
  }

  /** One line, without its newline. */
  addLine(source: string, at: number | string, bytes: Buffer, start: number, end: number): void {
    const { line } = this.#reader;
    line.source = source;
    line.at = at;
    line.ordinal++;
    try {
      this.#reader.read(bytes, start, end);
      if (this.#torn.isWaiting) this.#torn.explain(line);
      this.#sort(line);
    } catch (error) {
      this.addGarbage(source, at, bytes.subarray(start, end), messageOf(error));
    }
    if (line.ordinal % linesBetweenLooks === 0) this.#emptyWindows(line.ordinal);
  }

  /** What is no line of a log. */
  addGarbage(source: string, at: number | string, bytes: Buffer, problem: string): void {
    if (this.#isOutside) {
      this.#note(whereOf({ source, at }), problem);
      return;
    }
    const garbage: Garbage = {
      bytes: Buffer.from(bytes),
      where: whereOf({ source, at }),
      ordinal: this.lines,
      problem,
    };
    this.#torn.add(garbage);
  }

  /** A source that ends in what is no whole line. */
  addUnfinished(source: string, at: number, unfinishedBytes: number): void {
    const note = `${unfinishedBytes} bytes of a line without an end: it is being written, or its process has died`;
    this.#note(whereOf({ source, at }), note);
  }

  /** Nothing that comes later can explain a line that is no record. */
  endSeries(): void {
    this.#torn.end();
  }

  finish(): Report {
    this.#torn.end();
    const placed: Placed[] = [];
    const chains: ChainReport[] = [];
    let problemCount = 0;
    for (const { chained, unchained, isEnded, previous } of this.#chains.values()) {
      for (const verifier of [unchained, chained]) {
        if (verifier === undefined) continue;
        const { report, problems } = verifier.finish(isEnded);
        chains.push(
          previous === undefined || report.begins === 'start' ? report : { ...report, previousHash: previous },
        );
        placed.push(...problems);
        problemCount += report.problems;
      }
    }
    this.#expect(chains);
    placed.push(...this.#findings.kept);
    problemCount += this.#findings.count;
    placed.sort((a, b) => a.ordinal - b.ordinal);
    return {
      ok: problemCount === 0 && chains.length > 0,
      lines: this.lines,
      chains,
      problems: placed.slice(0, maxProblems).map(({ problem }) => problem),
      problemCount,
      notes: this.#notes,
    };
  }

  #sort(line: Line): void {
    const { tenants, instance, since, until } = this.#options;
    this.#isOutside = true;
    if (tenants !== undefined && !tenants.includes(line.tenant)) return;
    if (instance !== undefined && instance !== line.instance) return;
    if (line.hash !== undefined && this.#hashesExpected.has(line.hash)) this.#hashesSeen.add(line.hash);
    const chain = this.#chainOf(line);
    if (chain.isEnded) return;
    if (!chain.isBegun) {
      if (since !== undefined && line.time < since) {
        chain.previous = line.hash;
        keepEarlier(chain.earlier, line.hash);
        return;
      }
      chain.isBegun = true;
    }
    if (since !== undefined && line.time < since && chain.earlier.has(line.hash ?? '')) return;
    if (until !== undefined && line.time >= until) {
      chain.isEnded = true;
      return;
    }
    this.#isOutside = false;
    this.#add(chain, line);
  }

  #add(chain: Chain, line: Line): void {
    const { tenant, instance, previous } = chain;
    this.#options.onLine?.(line);
    // Decisions and gaps are the only lines that were ever written without a hash.
    const isOld = line.hash === undefined && (line.kind === 'decision' || line.kind === 'gap');
    if (isOld && chain.chained === undefined) {
      chain.unchained ??= new UnchainedVerifier(tenant, instance);
      chain.unchained.add(line);
      return;
    }
    chain.chained ??= new ChainVerifier(tenant, instance, this.#options.keys, chain.unchained !== undefined);
    if (line.hash === undefined) chain.chained.addUnhashed(line);
    else chain.chained.add(line, this.#parse, previous);
  }

  #chainOf({ tenant, instance }: Line): Chain {
    const last = this.#chain;
    if (last !== undefined && last.instance === instance && last.tenant === tenant) return last;
    const key = chainKey(tenant, instance);
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      const previous = this.#options.previous?.get(key);
      const verifiers = { chained: undefined, unchained: undefined };
      chain = { tenant, instance, ...verifiers, isBegun: false, isEnded: false, previous, earlier: new Set() };
      this.#chains.set(key, chain);
    }
    this.#chain = chain;
    return chain;
  }

  #expect(chains: readonly ChainReport[]): void {
    for (const { instance, seq, hash } of this.#options.expected ?? []) {
      const isThere =
        hash !== undefined
          ? this.#hashesSeen.has(hash)
          : chains.some((chain) => (instance ?? chain.instance) === chain.instance && chain.lastSeq >= (seq ?? 0));
      if (isThere) continue;
      const what = hash === undefined ? 'is expected' : `hash ${hash} is expected`;
      const problem = this.#findings.of(
        { seq: seq ?? 0, id: '', where: 'the end' },
        'cut',
        `${what}, and is not there`,
      );
      this.#findings.add(this.lines + 1, { ...problem, instance: instance ?? '' });
    }
  }

  #emptyWindows(ordinal: number): void {
    const chains = [...this.#chains.values()].flatMap(({ chained, unchained }) => [chained, unchained]);
    const used = chains.filter((chain) => chain !== undefined);
    if (used.reduce((sum, { window }) => sum + window.length, 0) < maxWindowLines) return;
    for (const chain of used) if (chain.lastOrdinal < ordinal - linesBetweenLooks) chain.window.clear();
  }

  #note(where: string, note: string): void {
    if (this.#notes.length < maxNotes) this.#notes.push({ where, note });
  }
}

function keepEarlier(earlier: Set<string>, hash: string | undefined): void {
  if (hash === undefined) return;
  // What comes again becomes the newest.
  earlier.delete(hash);
  earlier.add(hash);
  if (earlier.size > maxEarlier) earlier.delete(earlier.values().next().value as string);
}
