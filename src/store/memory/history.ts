/**
 * The last change sets of one tenant, bounded by how many they are and by how
 * many changes they hold. The memory store keeps one for each tenant; it must
 * never hand out a history with a gap.
 */
import { type ChangeSet, isNextOf, isSameRevision, type Revision } from '../../model/change.ts';

export interface HistoryLimits {
  /** Most change sets kept. */
  readonly maxChangeSets: number;
  /**
   * Most changes kept, over all change sets; one that holds the record before it counts twice. Records are small and
   * much alike, so that this bounds the bytes.
   */
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
    this.#changes += weightOf(changeSet);
    let dropped = 0;
    while (this.#changeSets.length - dropped > this.#limits.maxChangeSets || this.#changes > this.#limits.maxChanges) {
      this.#changes -= weightOf(this.#changeSets[dropped] as ChangeSet);
      dropped++;
    }
    this.#changeSets.splice(0, dropped);
  }

  /** The change sets after a revision, at most `limit`; undefined where they do not reach back to it. */
  since(since: Revision, head: Revision, limit: number): readonly ChangeSet[] | undefined {
    if (since.number > head.number || (since.number > 0 && since.epoch !== head.epoch)) return undefined;
    const missing = head.number - since.number;
    if (missing === 0) return since.number === 0 || isSameRevision(since, head) ? [] : undefined;
    const first = this.#changeSets.length - missing;
    const next = this.#changeSets[first];
    if (next === undefined || !isNextOf(since, next)) return undefined;
    return this.#changeSets.slice(first, first + limit);
  }

  /** The change sets before a revision, newest first, at most `limit`. */
  before(before: Revision | undefined, head: Revision, limit: number): readonly ChangeSet[] {
    if (before !== undefined && before.epoch !== head.epoch) return [];
    const later = before === undefined ? 0 : Math.max(0, head.number + 1 - before.number);
    const end = Math.max(0, this.#changeSets.length - later);
    return this.#changeSets.slice(Math.max(0, end - limit), end).reverse();
  }
}

function weightOf({ changes }: ChangeSet): number {
  let weight = changes.length;
  for (const { before } of changes) if (before !== undefined) weight++;
  return weight;
}
