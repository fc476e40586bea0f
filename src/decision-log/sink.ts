/**
 * Where records go: one interface, one conformance suite
 * (test/conformance/decision-sinks.test.ts). The log calls it, one batch of a
 * tenant at a time. A sink keeps order, buffers nothing that it has
 * acknowledged, and never retries by itself: that is the log's business.
 */

/** Encoded records of one tenant, in order. */
export interface Batch {
  readonly tenant: string;
  /** Texts of whole lines, each line ended by "\n"; at most `maxPartRecords` lines in each. */
  readonly parts: readonly string[];
  /** All parts as bytes, where the log has them so; good until write() is over. */
  readonly bytes?: Buffer;
  /** Lines in all parts. */
  readonly records: number;
}

/** Most lines in one part: large enough to share costs, small enough for one call to a store that others use too. */
export const maxPartRecords = 256;

/** Lines of a batch that the sink will never take, as positions counted from 0 over all parts. */
export type Refused = readonly number[];

export const noneRefused: Refused = [];

export interface Sink {
  /** Words for the start-up line, without secrets: "files in ./decisions". */
  readonly description: string;
  /**
   * Appends a batch. Resolves when the sink has every line but those that it refuses for good; anything else rejects,
   * and the same batch comes again: a line may then be written twice, with the same id.
   */
  write(batch: Batch): Promise<Refused>;
  /** Releases files and the like; idempotent. What was injected stays open. */
  close(): Promise<void>;
}
