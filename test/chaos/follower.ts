// What a chaos run wants of whoever follows its Redis and answers, in this process or in one of its own.
import type { Revision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { Query } from '../../src/model/query.ts';
import type { FaultProxy } from '../setup/fault-proxy.ts';
import type { Judge } from './judge.ts';
import type { Ledger } from './ledger.ts';

/** What all followers of a run share. */
export interface Followed {
  readonly tenant: string;
  readonly ledger: Ledger;
  readonly queries: readonly Query[];
}

export interface Follower {
  readonly name: string;
  /** Its own way to Redis, for faults of the way. */
  readonly way: FaultProxy | undefined;
  /** Whether it is ended now and then, and begun anew. */
  readonly restarts: boolean;
  /** What it said, and what is wrong with that. */
  readonly judge: Judge;
  /** Resolves when it answers, where it has something to begin with; otherwise at once. */
  begin(): Promise<void>;
  end(): Promise<void>;
  /** Asks it for an answer that holds a revision. */
  readYourWrite(revision: Revision): Promise<void>;
  /** Throws unless it is at this revision and says so, and has these records as far as anybody can see. */
  expectAt(revision: Revision, records: readonly EntityRecord[]): void | Promise<void>;
  /** Where it stands and what it went through, for who reads of a run that failed. */
  told(): string;
  /** Ends it for good, and looks at what it leaves behind. */
  conclude(): Promise<void>;
  /** Ends it, where that was not done. */
  close(): Promise<void>;
}
