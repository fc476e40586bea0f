/**
 * The lines of a log that are no decisions: where a process begins and ends, what is missing, and seals. Texts of JSON
 * without the brace that ends them, as the chain takes them. docs/decision-log.md describes the keys.
 */
import { quoted } from '../quoted.ts';

/** Why records are missing; the closed set of gap records. */
export type GapCause = 'buffer_full' | 'spool_full' | 'refused' | 'abandoned';

/** What an earlier process of the same instance left. */
export type Before = 'nothing' | 'stop' | 'crash';

/** A closed range of sequence numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** Lines that the sink refused after others had been chained on them: the hash before the first, and of the last. */
export interface Bridge {
  readonly from: string;
  readonly through: string;
}

export interface StartFacts {
  /** The number of the next decision. */
  readonly next: number;
  readonly after: Before;
  /** With `crash`: decisions of about so many milliseconds before it may be missing; undefined where nobody knows. */
  readonly lostMs: number | undefined;
  /** How this log is kept, as JSON. */
  readonly log: string;
}

export interface Marks {
  gap(range: Range, cause: GapCause, nowMs: number, bridge?: Bridge): string;
  start(facts: StartFacts, nowMs: number): string;
  stop(last: number, nowMs: number): string;
  /** `lines`: those since the seal before, or since the start. */
  seal(sealed: Range, lines: number, nowMs: number): string;
}

export function createMarks(instance: string, tenant: string): Marks {
  const begin = (type: string, nowMs: number) =>
    `{"type":"${type}","instance":${quoted(instance)},"time":"${new Date(nowMs).toISOString()}","tenant":${quoted(tenant)}`;
  return {
    gap({ first, last }, cause, nowMs, bridge) {
      const over = bridge === undefined ? '' : `,${JSON.stringify(bridge).slice(1, -1)}`;
      return `${begin('gap', nowMs)},"first":${first},"last":${last},"cause":"${cause}"${over}`;
    },
    start({ next, after, lostMs, log }, nowMs) {
      const lost = after === 'crash' && lostMs !== undefined ? `,"lost_ms":${lostMs}` : '';
      return `${begin('start', nowMs)},"next":${next},"after":"${after}"${lost},"log":${log}`;
    },
    stop: (last, nowMs) => `${begin('stop', nowMs)},"last":${last}`,
    seal: ({ first, last }, lines, nowMs) => `${begin('seal', nowMs)},"first":${first},"last":${last},"lines":${lines}`,
  };
}
