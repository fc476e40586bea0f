/**
 * What stands between lanes and the sink: it chains what a lane has encoded, keeps it until it is safe, and brings it to
 * the sink. Two ways: at once (direct-outlet.ts), or by way of files on disk (spool/spool-outlet.ts). Lanes call accept(),
 * one batch of a tenant at a time.
 */

/** Lines of one tenant, in order, encoded but not chained. */
export interface Encoded {
  readonly tenant: string;
  /** JSON without the brace that ends it. */
  readonly bodies: readonly string[];
  /** The last number that they account for. */
  readonly lastSeq: number;
}

/** Counters since start; all monotonic but `spoolBytes` and `behindMs`. */
export interface OutletStats {
  /** Decisions that the sink took. */
  readonly delivered: number;
  /** Decisions that it refused for good. */
  readonly refused: number;
  readonly failedWrites: number;
  /** On disk, and not in the sink yet. */
  readonly spoolBytes: number;
  /** For how long something has been on its way to the sink; 0 where nothing is. */
  readonly behindMs: number;
}

/** Why a lane's buffer is full: for the gap record of what it then drops. */
export type FullCause = 'buffer_full' | 'spool_full';

export interface Outlet {
  /** Words for the start-up line: where records go, and where they wait when that is away. */
  readonly description: string;
  readonly fullCause: FullCause;
  /** The last number that an earlier process of this instance gave for a tenant; 0 where there was none. */
  lastSeq(tenant: string): number;
  /**
   * Resolves when the lines are safe: in the sink, or on disk; to how many of them the sink refused. To undefined
   * where the outlet was told to give up: then none of them is in the chain. Never rejects.
   */
  accept(lines: Encoded): Promise<number | undefined>;
  /**
   * Takes one line within this turn, so that it is safe when this returns; false where it does not, and accept() has to.
   * Absent where lines are never taken so.
   */
  readonly acceptNow?: ((tenant: string, body: string, lastSeq: number) => boolean) | undefined;
  stats(): OutletStats;
  /** Ends every accept() that waits. */
  giveUp(): void;
  /**
   * Marks the end of every chain, brings to the sink what it takes within `deadlineMs`, and releases everything.
   * @param abandoned By tenant, the first and last number of what was never accepted.
   */
  close(deadlineMs: number, abandoned: ReadonlyMap<string, { first: number; last: number }>): Promise<void>;
}
