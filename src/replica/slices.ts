/**
 * Work on the graph in slices, so that questions are answered in between: a change set may hold a million changes, and
 * each takes some 20 microseconds. What is made meanwhile belongs to whoever makes it until it is done.
 */
import { Draft } from '../graph/draft.ts';
import type { FlatGraph } from '../graph/flat/graph.ts';
import { draftOver, plainChanges } from '../graph/flat/snapshot-of.ts';
import type { GraphOptions, Snapshot } from '../graph/snapshot.ts';
import type { Change, ChangeSet, Revision } from '../model/change.ts';
import { TimeSlice } from '../store/time-slice.ts';

/** Changes that are applied without a look at the clock: a millisecond or two. */
const changesAtOnce = 64;

/** Change sets up to this size are applied in one go when they are heard of. */
export const mostChangesInOneGo = 256;

/** Pauses whoever has worked for a slice, so that other things have their turn. One for each piece of work. */
export class Slices {
  readonly #slice = new TimeSlice();

  /** See TimeSlice. */
  pause(): Promise<void> {
    return this.#slice.pause();
  }

  /** Takes changes into a draft. @throws PosternError INVALID_POLICY; drop the draft then */
  async apply(draft: Draft, changes: readonly Change[]): Promise<void> {
    for (let from = 0; from < changes.length; from += changesAtOnce) {
      await this.pause();
      draft.apply(changes.slice(from, from + changesAtOnce));
    }
  }

  /** A snapshot over a flat graph. @throws what snapshotOf throws */
  async over(flat: FlatGraph, options: GraphOptions, revision: Revision): Promise<Snapshot> {
    await this.pause();
    const draft = draftOver(flat, options);
    await this.apply(draft, plainChanges(flat));
    await this.pause();
    return draft.freeze(revision);
  }

  /** The graph after a change set. @throws PosternError INVALID_POLICY; nothing has changed then */
  async after(snapshot: Snapshot, { changes, revision }: ChangeSet): Promise<Snapshot> {
    const draft = new Draft(snapshot);
    await this.apply(draft, changes);
    await this.pause();
    return draft.freeze(revision);
  }

  /** The same, of what is in force: upkeep may put the same graph on another ground meanwhile. */
  async afterLatest(current: () => Snapshot, changeSet: ChangeSet): Promise<Snapshot> {
    for (;;) {
      const before = current();
      const after = await this.after(before, changeSet);
      if (current() === before) return after;
    }
  }
}
