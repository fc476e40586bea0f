/**
 * Work on the graph in slices, so that questions are answered in between: a change set may hold a million changes, and
 * each takes some 20 microseconds. What is made meanwhile belongs to whoever makes it until it is done.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Draft } from '../graph/draft.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Change, ChangeSet } from '../model/change.ts';

/** Changes that are applied without a look at the clock: a millisecond or two. */
const changesAtOnce = 64;
/** How long a slice lasts, in milliseconds. */
const sliceMs = 4;

/** Change sets up to this size are applied in one go when they are heard of. */
export const mostChangesInOneGo = 256;

/** Pauses whoever has worked for a slice, so that other things have their turn. One for each piece of work. */
export class Slices {
  #beganMs = performance.now();

  /** Resolves at once within a slice, and after everything that waits at its end. */
  async pause(): Promise<void> {
    if (performance.now() - this.#beganMs < sliceMs) return;
    await nextTurn();
    this.#beganMs = performance.now();
  }

  /** Takes changes into a draft. @throws PosternError INVALID_POLICY; drop the draft then */
  async apply(draft: Draft, changes: readonly Change[]): Promise<void> {
    for (let from = 0; from < changes.length; from += changesAtOnce) {
      await this.pause();
      draft.apply(changes.slice(from, from + changesAtOnce));
    }
  }

  /** The graph after a change set. @throws PosternError INVALID_POLICY; nothing has changed then */
  async after(snapshot: Snapshot, { changes, revision }: ChangeSet): Promise<Snapshot> {
    const draft = new Draft(snapshot);
    await this.apply(draft, changes);
    await this.pause();
    return draft.freeze(revision);
  }
}
