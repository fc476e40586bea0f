/**
 * Keeps what a snapshot stands on in shape: folds changes into the flat graph below them when they have become many,
 * and saves the graph on disk from time to time. Told by the replica what it puts in force; it never looks at the
 * store. Neither disturbs who asks: folding is done by a worker, saving in pieces.
 */
import { randomInt } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlatBuilder } from '../graph/flat/builder.ts';
import type { FlatGraph } from '../graph/flat/graph.ts';
import { recordsOf } from '../graph/records.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { ChangeSet, Revision } from '../model/change.ts';
import { isSameRevision } from '../model/change.ts';
import { toPosternError } from '../model/errors.ts';
import { compactAside } from './compact-aside.ts';
import type { Freshness } from './freshness.ts';
import { startJitteredInterval } from './jittered-interval.ts';
import type { LoadedGraph } from './load-graph.ts';
import type { ReplicaOptions } from './options.ts';
import { Slices } from './slices.ts';

/** What upkeep looks at: the replica. */
export interface Kept {
  readonly current: Snapshot | undefined;
  readonly freshness: Freshness;
  readonly closed: AbortSignal;
}

/** What upkeep asks the replica for. */
export interface Wishes {
  /** Puts the same graph, of the revision in force, in its place. */
  replace(snapshot: Snapshot): void;
  /** Loads the graph as a whole, so that it stands on a flat one. */
  reload(): void;
}

/**
 * Changes above a flat graph, at least and as a share of its bindings, before they are folded into it. A small graph that
 * was loaded record by record becomes one then: no snapshot made from another forgets a name, deleted or not.
 */
const leastToFold = 20_000;
const shareToFold = 0.02;
/** Intervals after which a graph that has not changed is saved again: its file says when it was last known to be the newest. */
const intervalsUnchanged = 12;
/** Then the graph is loaded as a whole instead. */
const mostFailedFolds = 3;
/** A graph with fewer records than this is made flat here, in some milliseconds. */
const fewRecords = 20_000;

/** What a snapshot stands on, and every change set since. */
interface Ground {
  /** Undefined while it is in the making. */
  readonly flat: FlatGraph | undefined;
  readonly since: ChangeSet[];
  changes: number;
}

export class Upkeep {
  readonly #options: ReplicaOptions;
  readonly #kept: Kept;
  readonly #wishes: Wishes;
  readonly #stopSaving: () => void;
  #ground: Ground | undefined;
  /** Changes since a load that left no ground. */
  #loose = 0;
  #limit = leastToFold;
  /** One after another. */
  #failedFolds = 0;
  #savedAt: Revision | undefined;
  /** When that was last known to be the newest, as its file says, in milliseconds since 1970. */
  #savedKnownMs = 0;
  #running: Promise<void> | undefined;

  constructor(options: ReplicaOptions, kept: Kept, wishes: Wishes) {
    this.#options = options;
    this.#kept = kept;
    this.#wishes = wishes;
    const { save } = options;
    this.#stopSaving =
      save === undefined ? () => {} : startJitteredInterval(() => this.#saveIfNewer(), save.intervalMs);
  }

  /** The graph was loaded as a whole. @param saved Whether that was from disk. */
  loaded(base: LoadedGraph['base'], saved: boolean): void {
    this.#ground =
      base === undefined ? undefined : { flat: base.flat, since: [...base.since], changes: countOf(base.since) };
    this.#loose = 0;
    this.#limit = this.#leastFor(base?.flat);
    if (saved) this.#noteSaved(this.#kept.current?.revision, this.#knownAtMs);
    else this.#saveIfNewer();
  }

  applied(changeSet: ChangeSet): void {
    const ground = this.#ground;
    const count = countOf([changeSet]);
    if (ground === undefined) this.#loose += count;
    else {
      ground.since.push(changeSet);
      ground.changes += count;
    }
    if ((ground?.changes ?? this.#loose) > this.#limit) this.#begin();
  }

  /** Resolves when nothing is written any more: what is in the making ends with the signal of who is kept. Idempotent. */
  async close(): Promise<void> {
    this.#stopSaving();
    await this.#running;
  }

  /** When what is in force was last known to be the newest, in milliseconds since 1970. */
  get #knownAtMs(): number {
    return this.#options.now() - this.#kept.freshness.ageMs();
  }

  #noteSaved(revision: Revision | undefined, knownAtMs: number): void {
    this.#savedAt = revision;
    this.#savedKnownMs = knownAtMs;
  }

  #saveIfNewer(): void {
    const { save } = this.#options;
    const current = this.#kept.current;
    if (save === undefined || current === undefined) return;
    const isNewer = this.#savedAt === undefined || !isSameRevision(this.#savedAt, current.revision);
    const isKnownLater = this.#knownAtMs - this.#savedKnownMs > intervalsUnchanged * save.intervalMs;
    if (isNewer || isKnownLater) this.#begin();
  }

  #begin(): void {
    if (this.#running !== undefined || this.#kept.closed.aborted) return;
    this.#running = this.#work()
      .catch((error: unknown) => {
        if (this.#kept.closed.aborted) return;
        this.#options.onEvent({ kind: 'upkeep-failed', error: toPosternError(error) });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #work(): Promise<void> {
    const { save, tenant } = this.#options;
    const snapshot = this.#kept.current;
    if (snapshot === undefined) return;
    const { revision } = snapshot;
    const knownAtMs = this.#knownAtMs;
    const flat = await this.#flatOf(snapshot);
    if (flat === undefined || save === undefined || this.#kept.closed.aborted) return;
    await save.directory.write(flat, { tenant, revision, knownAtMs }, this.#kept.closed);
    this.#noteSaved(revision, knownAtMs);
    this.#options.onEvent({ kind: 'saved', revision });
  }

  /** The flat graph of a snapshot in force; undefined where it has to be loaded first. */
  async #flatOf(snapshot: Snapshot): Promise<FlatGraph | undefined> {
    const ground = this.#ground;
    if (ground?.flat !== undefined)
      return ground.since.length === 0 ? ground.flat : this.#fold(ground, ground.flat, snapshot);
    const { members, objects, bindings } = snapshot.counts;
    const isSmall = members + objects + bindings < fewRecords;
    // A store that builds no flat graphs would load, and wish to load, without end.
    if (isSmall || this.#options.store.loadFlat === undefined) {
      return this.#loose > this.#limit ? this.#giveGround(snapshot) : flattenHere(snapshot);
    }
    this.#loose = 0;
    this.#wishes.reload();
    return undefined;
  }

  /** Has a snapshot that stands on nothing stand on itself, as a flat graph: names that nothing uses any more go. */
  async #giveGround(snapshot: Snapshot): Promise<FlatGraph> {
    const ground: Ground = { flat: undefined, since: [], changes: 0 };
    this.#ground = ground;
    const changes = this.#loose;
    this.#loose = 0;
    try {
      const flat = await this.#folded(() => flattenHere(snapshot));
      return await this.#standOn(flat, ground, 0, changes, snapshot);
    } finally {
      if (this.#ground === ground) this.#ground = undefined;
    }
  }

  async #fold(ground: Ground, below: FlatGraph, snapshot: Snapshot): Promise<FlatGraph> {
    const taken = ground.since.slice();
    const flat = await this.#folded(() => compactAside(below, taken, this.#kept.closed));
    this.#limit = this.#leastFor(below);
    // For saving alone: whoever lists in pages is not made to begin anew.
    if (ground.changes <= this.#limit) return flat;
    return this.#standOn(flat, ground, taken.length, countOf(taken), snapshot);
  }

  /** Puts a flat graph below what is in force. @param taken How many change sets above the ground are in it. */
  async #standOn(
    flat: FlatGraph,
    ground: Ground,
    taken: number,
    changes: number,
    snapshot: Snapshot,
  ): Promise<FlatGraph> {
    // What was applied meanwhile is applied once more, above the new graph.
    const slices = new Slices();
    let next = await slices.over(flat, snapshot.options, snapshot.revision);
    let done = taken;
    for (; this.#ground === ground && done < ground.since.length; done++) {
      next = await slices.after(next, ground.since[done] as ChangeSet);
    }
    const current = this.#kept.current;
    // A whole load came in between: that is newer, and stands on its own.
    if (this.#ground !== ground || current === undefined || !isSameRevision(current.revision, next.revision))
      return flat;
    const since = ground.since.slice(taken);
    this.#ground = { flat, since, changes: countOf(since) };
    this.#limit = this.#leastFor(flat);
    this.#wishes.replace(next);
    this.#options.onEvent({ kind: 'folded', revision: next.revision, changes });
    return flat;
  }

  async #folded(fold: () => Promise<FlatGraph>): Promise<FlatGraph> {
    try {
      const flat = await fold();
      this.#failedFolds = 0;
      return flat;
    } catch (error) {
      // Not with every change from here on. And what is to be folded must not grow for ever.
      this.#limit *= 2;
      if (++this.#failedFolds >= mostFailedFolds && !this.#kept.closed.aborted) this.#wishes.reload();
      throw error;
    }
  }

  #leastFor(flat: FlatGraph | undefined): number {
    return Math.max(leastToFold, (flat?.counts.bindings ?? 0) * shareToFold);
  }
}

/** Changes in change sets; one without any is kept, too. */
function countOf(changeSets: readonly ChangeSet[]): number {
  return changeSets.reduce((sum, { changes }) => sum + Math.max(1, changes.length), 0);
}

async function flattenHere(snapshot: Snapshot): Promise<FlatGraph> {
  const builder = new FlatBuilder(randomInt(2 ** 31));
  const slices = new Slices();
  for (const record of recordsOf(snapshot)) {
    await slices.pause();
    builder.put(record);
  }
  await nextTurn();
  return builder.finish();
}
