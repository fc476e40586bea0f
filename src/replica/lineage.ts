/**
 * The commits that a snapshot is made of, as far as this process applied them itself: which nonce each of the last
 * numbers has. The waiters ask it how a revision that somebody names stands to the snapshot in force.
 */
import { mayBeSameNonce, type Revision } from '../model/change.ts';

/** Numbers whose nonces are kept: what a token that is worth waiting for is within. */
const keptNonces = 512;

/** How a revision that somebody names stands to the snapshot. */
export type Standing =
  /** The snapshot has it, as far as anyone can tell: what was before the load is told by its number alone. */
  | 'held'
  | 'ahead'
  /** The snapshot has another commit of that number: one of the two was lost in a failover. */
  | 'astray'
  /** It is of another epoch. */
  | 'elsewhere';

export class Lineage {
  readonly #nonces = new Map<number, string | undefined>();
  #current: Revision | undefined;

  /** The revision of the snapshot in force; undefined before the first. */
  get current(): Revision | undefined {
    return this.#current;
  }

  /** @param isNext Whether the snapshot was made from the last one by one change set. */
  note(revision: Revision, isNext: boolean): void {
    if (!isNext) this.#nonces.clear();
    this.#current = revision;
    this.#nonces.set(revision.number, revision.nonce);
    this.#nonces.delete(revision.number - keptNonces);
  }

  standingOf(asked: Revision): Standing {
    const current = this.#current;
    if (current === undefined) return 'ahead';
    if (asked.epoch !== current.epoch) return 'elsewhere';
    if (asked.number > current.number) return 'ahead';
    return mayBeSameNonce(asked.nonce, this.#nonces.get(asked.number)) ? 'held' : 'astray';
  }
}
