// Every change set that was ever committed, those that the store has lost since included, and what the records were
// after each. It knows what was committed from the writer alone, never from those who are held against it; only which
// revision a commit of unknown outcome got is read from the store's history, or, where a failover has lost it from there
// too, found by what was answered. Called by the writer and the followers.
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

/** A commit that may have been made. */
interface Pending {
  readonly parent: Entry;
  readonly changes: readonly Change[];
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** By the reason that each commit gives: what it changes. */
  readonly #sent = new Map<string, readonly Change[]>();
  /** Those of which the parent is known, until their outcome is. */
  readonly #pending = new Map<string, Pending>();
  /** How many commits are known by what was answered only. */
  found = 0;

  /**
   * A commit is about to be sent.
   * @param on What it is to be made on, and on nothing else, where that is told to the store.
   * @returns The reason that it must give.
   */
  sending(changes: readonly Change[], on?: Revision): string {
    const why = `commit ${this.#sent.size}`;
    this.#sent.set(why, changes);
    if (on !== undefined) this.#pending.set(why, { parent: this.#entryOf(on), changes });
    return why;
  }

  /** It was made. Without `on`, that is read back. */
  committed(why: string, revision: Revision): void {
    const pending = this.#pending.get(why);
    if (pending !== undefined) this.#add(why, revision, pending.parent, pending.changes);
  }

  /** It was not, and will not be. */
  refused(why: string): void {
    this.#pending.delete(why);
  }

  knows(revision: Revision): boolean {
    return this.#entries.has(formatRevision(revision));
  }

  /** The records at a revision that is known. */
  recordsAt(revision: Revision): readonly EntityRecord[] {
    return recordsOf(this.#entryOf(revision));
  }

  /** The records at every revision that there was. */
  graphs(): readonly (readonly EntityRecord[])[] {
    return [...this.#entries.values()].map(recordsOf);
  }

  /** Whether the first of two known revisions is in the history of the second. */
  isWithin(revision: Revision, later: Revision): boolean {
    const asked = this.#entries.get(formatRevision(revision));
    let entry = this.#entries.get(formatRevision(later));
    while (entry !== undefined && entry !== asked) entry = entry.parent;
    return entry !== undefined;
  }

  /** Tokens of the commits that were made, and are not in the history of a revision. */
  lostBefore(head: Revision): ReadonlySet<string> {
    const lost = new Set(this.#entries.keys());
    for (let entry: Entry | undefined = this.#entryOf(head); entry !== undefined; entry = entry.parent)
      lost.delete(formatRevision(entry.revision));
    return lost;
  }

  /** Whether there is reason to refuse a revision with this code: another commit of its number, or another epoch. */
  gives(code: string, revision: Revision): boolean {
    const all = [...this.#entries.values()].map((entry) => entry.revision);
    if (code === 'REVISION_OF_OTHER_EPOCH') return all.some(({ epoch }) => epoch !== revision.epoch);
    const perhaps = [...this.#pending.values()].map(({ parent }) => nextOf(parent.revision));
    const ofNumber = [...all, ...perhaps].filter(
      ({ epoch, number }) => epoch === revision.epoch && number === revision.number,
    );
    return code === 'REVISION_LOST' && ofNumber.length > 1;
  }

  /**
   * Whether a revision that is not known can be a commit of unknown outcome that the store has lost since.
   * @param agrees Whether all that was answered at the revision fits the records.
   */
  findLost(revision: Revision, agrees: (records: readonly EntityRecord[]) => boolean): boolean {
    const fitting = [...this.#pending].filter(([, { parent, changes }]) => {
      const next = nextOf(parent.revision);
      if (next.epoch !== revision.epoch || next.number !== revision.number) return false;
      return agrees(applyPlainly(recordsOf(parent), changes));
    });
    const [first] = fitting;
    // Where two fit, what is answered later may tell which it is.
    if (first !== undefined && fitting.length === 1) {
      this.found++;
      this.#add(first[0], revision, first[1].parent, first[1].changes);
    }
    return first !== undefined;
  }

  /**
   * Takes what was committed since from the store's history, and returns where that ends.
   * @throws what the store throws; Error where it is not what was sent
   */
  async readBack(store: Store, tenant: string): Promise<Revision | undefined> {
    const fresh: ChangeSet[] = [];
    let head: Revision | undefined;
    let before: Revision | undefined;
    for (let found = false; !found; ) {
      const page = await store.changesBefore(tenant, before, 20);
      if (page.length === 0) break;
      head ??= page[0]?.revision;
      const known = page.findIndex(({ revision }) => this.knows(revision));
      found = known >= 0;
      fresh.push(...(found ? page.slice(0, known) : page));
      before = page.at(-1)?.revision;
    }
    for (const { revision, after, why = '' } of fresh.reverse()) {
      const changes = this.#sent.get(why);
      if (changes === undefined) throw new Error(`nobody has sent ${formatRevision(revision)}, "${why}"`);
      const { epoch, number } = revision;
      const parent = { epoch, number: number - 1, ...(after === undefined ? {} : { nonce: after }) };
      this.#add(why, revision, number === 1 ? undefined : this.#entryOf(parent), changes);
    }
    return head;
  }

  #add(why: string, revision: Revision, parent: Entry | undefined, changes: readonly Change[]): void {
    this.#pending.delete(why);
    if (!this.knows(revision))
      this.#entries.set(formatRevision(revision), { revision, parent, changes, records: undefined });
  }

  #entryOf(revision: Revision): Entry {
    const found = this.#entries.get(formatRevision(revision));
    if (found === undefined) throw new Error(`nobody has committed ${formatRevision(revision)}`);
    return found;
  }
}

function nextOf({ epoch, number }: Revision): Revision {
  return { epoch, number: number + 1 };
}

function recordsOf(found: Entry): readonly EntityRecord[] {
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
