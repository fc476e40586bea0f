/**
 * The last change sets of one tenant, bounded by how many they are and by how
 * many changes they hold. The memory store keeps one for each tenant; it must
 * never hand out a history with a gap.
 */
import type { ChangeSet, Revision } from '../../model/change.ts';

export interface HistoryLimits {
  /** Most change sets kept. */
  readonly maxChangeSets: number;
  /** Most changes kept, over all change sets: records are small and much alike, so that this bounds the bytes. */
  readonly maxChanges: number;
}

export const defaultHistoryLimits: HistoryLimits = { maxChangeSets: 10_000, maxChanges: 1_000_000 };

export class History {
  readonly #limits: HistoryLimits;
  /** Contiguous in their numbers, oldest first. */
  #changeSets: ChangeSet[] = [];
  #changes = 0;

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  add(changeSet: ChangeSet): void {
    this.#changeSets.push(changeSet);
    this.#changes += changeSet.changes.length;
    let dropped = 0;
    while (this.#changeSets.length - dropped > this.#limits.maxChangeSets || this.#changes > this.#limits.maxChanges) {
      this.#changes -= this.#changeSets[dropped]?.changes.length ?? 0;
      dropped++;
    }
    this.#changeSets.splice(0, dropped);
  }

  /** The change sets after a revision, at most `limit`; undefined where they do not reach back to it. */
  since(since: Revision, head: Revision, limit: number): readonly ChangeSet[] | undefined {
    if (since.number > head.number || (since.number > 0 && since.epoch !== head.epoch)) return undefined;
    const missing = head.number - since.number;
    if (missing > this.#changeSets.length) return undefined;
    const first = this.#changeSets.length - missing;
    return this.#changeSets.slice(first, first + limit);
  }
}
