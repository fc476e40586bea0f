// Every change set that was ever committed, those that the store has lost since included, and what the records were
// after each. It knows what was committed from the writer alone, never from those who are held against it; only which
// revision a commit of unknown outcome got is read from the store's history. Called by the writer and the followers.
import { type Change, type ChangeSet, formatRevision, type Revision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { Store } from '../../src/store/store.ts';
import { applyPlainly } from '../reference/arbitraries.ts';

interface Entry {
  readonly revision: Revision;
  readonly parent: Entry | undefined;
  readonly changes: readonly Change[];
  records: readonly EntityRecord[] | undefined;
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** By the reason that each commit gives: what it changes. */
  readonly #sent = new Map<string, readonly Change[]>();

  /** A commit is about to be sent. @returns The reason that it must give. */
  sending(changes: readonly Change[]): string {
    const why = `commit ${this.#sent.size}`;
    this.#sent.set(why, changes);
    return why;
  }

  knows(revision: Revision): boolean {
    return this.#entries.has(formatRevision(revision));
  }

  /** The records at a revision that is known. */
  recordsAt(revision: Revision): readonly EntityRecord[] {
    const found = this.#entries.get(formatRevision(revision));
    if (found === undefined) throw new Error(`nobody has committed ${formatRevision(revision)}`);
    const missing: Entry[] = [];
    let entry: Entry | undefined = found;
    for (; entry !== undefined && entry.records === undefined; entry = entry.parent) missing.push(entry);
    let records = entry?.records ?? [];
    for (const each of missing.reverse()) {
      records = applyPlainly(records, each.changes);
      each.records = records;
    }
    return records;
  }

  /** Whether the first of two known revisions is in the history of the second. */
  isWithin(revision: Revision, later: Revision): boolean {
    const asked = this.#entries.get(formatRevision(revision));
    let entry = this.#entries.get(formatRevision(later));
    while (entry !== undefined && entry !== asked) entry = entry.parent;
    return entry !== undefined;
  }

  /** Takes what was committed since from the store's history. @throws what the store throws; Error where it is not what was sent */
  async readBack(store: Store, tenant: string): Promise<void> {
    const fresh: ChangeSet[] = [];
    let before: Revision | undefined;
    let parent: Entry | undefined;
    for (let found = false; !found; ) {
      const page = await store.changesBefore(tenant, before, 20);
      if (page.length === 0) break;
      for (const changeSet of page) {
        parent = this.#entries.get(formatRevision(changeSet.revision));
        if (parent !== undefined) {
          found = true;
          break;
        }
        fresh.push(changeSet);
      }
      before = page.at(-1)?.revision;
    }
    const oldest = fresh.at(-1);
    if (oldest !== undefined && parent === undefined && oldest.revision.number > 1) {
      // History was trimmed to right behind what is known.
      const { revision, after = '' } = oldest;
      const before = { epoch: revision.epoch, number: revision.number - 1, nonce: after };
      parent = this.#entries.get(formatRevision(before));
      if (parent === undefined)
        throw new Error(`history ends at ${formatRevision(revision)}, and before is nothing known`);
    }
    for (const { revision, why = '' } of fresh.reverse()) {
      const changes = this.#sent.get(why);
      if (changes === undefined) throw new Error(`nobody has sent ${formatRevision(revision)}, "${why}"`);
      parent = { revision, parent, changes, records: undefined };
      this.#entries.set(formatRevision(revision), parent);
    }
  }
}
