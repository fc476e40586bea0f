/**
 * What the PDP gives to the decision log, and what the log promises to it.
 * append() is on the hot path: it never waits, never throws, and never does I/O.
 */
import type { Attributes } from '../model/condition.ts';
import type { Mode } from '../model/entity.ts';
import type { Reach, Reason } from '../model/query.ts';
import type { ChangeEntry } from './change-entry.ts';
import type { DecidingPath } from './content/deciding-path.ts';
import type { OutletStats } from './outlet.ts';

/** Which RPC asked. */
export type Source = 'check' | 'batch' | 'stream' | 'list_objects' | 'list_subjects' | 'list_actions' | 'explain';

/** One decision, before the log gives it its sequence number. One constructor, same shape always. */
export interface DecisionEntry {
  /** A ULID. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly tenant: string;
  readonly subject: string;
  readonly action: string;
  /** Empty for a question about the tenant; a type followed by ":*" for a list of objects. */
  readonly object: string;
  readonly allowed: boolean;
  readonly enforcedAllowed: boolean;
  readonly reason: Reason;
  /** JSON array, see bindingKey; or empty. */
  readonly binding: string;
  /** Revision token. */
  readonly revision: string;
  /** How long before the question its graph was last known to be the newest, in milliseconds; 0 where it was then. */
  readonly dataAgeMs: number;
  readonly mode: Mode;
  readonly source: Source;
  readonly reach: Reach;
  /** Who called, as far as the transport knows: a peer address or "unix". */
  readonly caller: string;
  /** From the caller's traceparent; empty when there is none. */
  readonly traceId: string;
  /** Groups that the caller asserted; undefined when none. */
  readonly assertedGroups: readonly string[] | undefined;
  /** Roles that the question activated; undefined where all were active. */
  readonly activeRoles: readonly string[] | undefined;
  /** What the caller sent for conditions; undefined when nothing. */
  readonly attributes: Attributes | undefined;
  /** For lists: how many elements were answered; -1 for single questions. */
  readonly results: number;
  /** Why, for the records that tell it; undefined for the others. */
  readonly path: DecidingPath | undefined;
}

/** Counters since start; all monotonic but `pending*`, `spoolBytes` and `behindMs`. */
export interface DecisionLogStats extends OutletStats {
  /** Decisions of which no record is made, by filters and samples. */
  readonly leftOut: number;
  readonly appended: number;
  /** Safe: in the sink, or on disk. */
  readonly written: number;
  readonly dropped: number;
  readonly pendingRecords: number;
  readonly pendingBytes: number;
}

export interface DecisionLog {
  /** For the start-up line: where records go and what happens when that is slow or gone. */
  readonly description: string;
  /** Whether a question may be answered now; false only where the operator chose that questions wait for the log. */
  readonly hasRoom: boolean;
  /** Resolves when there is room. @throws PosternError LOG_FULL when the signal ends the wait */
  room(signal: AbortSignal | undefined): Promise<void>;
  /**
   * Whether the record of the check with this id tells its path; absent where none does. On the hot path: it allocates
   * nothing and never throws.
   */
  readonly takesPath?: ((id: string) => boolean) | undefined;
  append(entry: DecisionEntry | ChangeEntry): void;
  stats(): DecisionLogStats;
  /**
   * Resolves when everything appended before the call is safe or counted as dropped, or after `deadlineMs`
   * milliseconds; what is not safe by then stays pending.
   */
  flush(deadlineMs: number): Promise<void>;
  /** flush, count what is left as dropped, and release the sink; idempotent. */
  close(deadlineMs: number): Promise<void>;
}
