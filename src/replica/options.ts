/** What a replica is told when it is made, and how it calls back. */
import type { GraphOptions, Snapshot } from '../graph/snapshot.ts';
import type { ChangeSet } from '../model/change.ts';
import type { SnapshotDirectory } from '../snapshot-file/directory.ts';
import type { Store } from '../store/store.ts';
import type { ReplicaEvent } from './state.ts';

/**
 * @param changeSet What led from the last snapshot to this one; undefined where the whole graph was loaded: whoever
 * tails the changes has to begin anew with this snapshot.
 */
export type SnapshotListener = (snapshot: Snapshot, changeSet: ChangeSet | undefined) => void;

export type InTurn = <T>(load: () => Promise<T>) => Promise<T>;

/** For one who shares with nobody. */
export const atOnce: InTurn = (load) => load();

/** Where the graph is saved, so that it is there when the store is not. */
export interface SaveOptions {
  readonly directory: SnapshotDirectory;
  /** How often a graph that has changed is saved, in milliseconds. */
  readonly intervalMs: number;
}

export interface ReplicaOptions {
  readonly store: Store;
  readonly tenant: string;
  readonly graph: GraphOptions;
  /** How often the store's revision is compared although nothing was heard, in milliseconds. */
  readonly compareIntervalMs: number;
  /** The first pause before a failed synchronisation is tried again, in milliseconds; it doubles, with jitter. */
  readonly retryMs: number;
  /** Absent where nothing is saved. */
  readonly save?: SaveOptions | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** By performance.now(), which is the default. */
  readonly monotonicNow?: () => number;
  readonly onEvent: (event: ReplicaEvent) => void;
  /** Runs a load when it is this tenant's turn (load-turns.ts); without it, at once. */
  readonly inTurn?: InTurn;
}
