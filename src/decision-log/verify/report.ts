/**
 * What a verification finds: plain data, for people (src/cli) and machines. It
 * must never call something a problem that an honest log can contain.
 */
export type ProblemKind =
  | 'missing'
  | 'altered'
  | 'duplicated'
  | 'reordered'
  | 'fork'
  | 'garbage'
  | 'signature'
  | 'unsigned'
  | 'unknown_key'
  | 'cut';

export interface Problem {
  readonly kind: ProblemKind;
  /** Empty where the line does not tell. */
  readonly tenant: string;
  readonly instance: string;
  /** The number that it is about; 0 for none. */
  readonly seq: number;
  /** The id of the decision or change; empty for none. */
  readonly id: string;
  /** File and byte offset, or stream and entry: where the log is first not as it should be. */
  readonly where: string;
  /** What was found there. */
  readonly found: string;
  /** What that means, or what to do. */
  readonly meaning: string;
}

/** One chain: what one instance wrote for one tenant. */
export interface ChainReport {
  readonly tenant: string;
  readonly instance: string;
  /** False for logs that were written before lines were chained: only their numbers can be checked. */
  readonly chained: boolean;
  /** Lines that were read for the first time. */
  readonly lines: number;
  readonly decisions: number;
  readonly changes: number;
  /** Lines that came again, as they were: delivery is at least once. */
  readonly repeats: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of the first and the last line. */
  readonly firstTime: string;
  readonly lastTime: string;
  /** What names the end of this chain: keep it, and a later verification can tell that nothing behind it was cut off. */
  readonly lastHash: string;
  /** `start`: with the first line of the chain; `middle`: what came before is not here, and cannot be checked. */
  readonly begins: 'start' | 'middle';
  /** Of the line before the first one, where it begins in the middle and that line was read. */
  readonly previousHash?: string;
  /** `stop`: an orderly end; `open`: the process still runs or has crashed; `range`: there is more behind `until`. */
  readonly ends: 'stop' | 'open' | 'range';
  /** How often a process began to write; `anew` with a new chain of the same name, and after a crash. */
  readonly starts: number;
  readonly anew: number;
  readonly crashes: number;
  /** How many milliseconds of decisions those crashes may have cost at most, all together, but for those that tell no bound. */
  readonly lostMs: number;
  readonly unboundedCrashes: number;
  /** By cause: how many numbers are missing, and were told to be. */
  readonly gaps: Readonly<Record<string, number>>;
  readonly seals: number;
  /** By key: how many seals it signed; and whether its public key was given. */
  readonly signers: readonly { readonly key: string; readonly seals: number; readonly isChecked: boolean }[];
  readonly lastSeal: { readonly seq: number; readonly time: string } | undefined;
  /** Lines that no seal attests yet. */
  readonly unsealedLines: number;
  /** What the starts say of the log: mode, sink, and what it leaves out or masks; each once. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  readonly problems: number;
}

export interface Report {
  /** Whether there is something, and nothing is wrong with it. */
  readonly ok: boolean;
  readonly lines: number;
  readonly chains: readonly ChainReport[];
  /** In the order in which they stand in the log; the first ones where there are very many. */
  readonly problems: readonly Problem[];
  /** How many there are in all. */
  readonly problemCount: number;
  /** What is no problem, and should be known: a file that ends within a line, a line that was torn by a crash. */
  readonly notes: readonly { readonly where: string; readonly note: string }[];
}
