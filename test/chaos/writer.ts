// The writer of a chaos run: it commits one change set after the other, and tells the ledger what it sent and what it
// heard of that.
import type { Change, Revision } from '../../src/model/change.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Store } from '../../src/store/store.ts';
import type { Ledger } from './ledger.ts';

export class Writer {
  readonly #store: Store;
  readonly #tenant: string;
  readonly #ledger: Ledger;
  readonly #losesCommits: boolean;
  /** What it has made last, while nothing went wrong since. */
  #last: Revision | undefined;

  /** @param losesCommits Whether the store may lose what it has acknowledged: then each commit says what it is made on. */
  constructor(store: Store, tenant: string, ledger: Ledger, losesCommits: boolean) {
    this.#store = store;
    this.#tenant = tenant;
    this.#ledger = ledger;
    this.#losesCommits = losesCommits;
  }

  /** The revision; undefined where it was not made, or nobody can tell. @throws what is no loss of the store */
  async commit(changes: readonly Change[]): Promise<Revision | undefined> {
    let expected: Revision | undefined;
    if (this.#losesCommits) {
      try {
        expected = this.#last ?? (await this.#ledger.readBack(this.#store, this.#tenant));
      } catch {
        // Nobody there, or another one than a moment ago: not to be written to now.
        return undefined;
      }
    }
    const why = this.#ledger.sending(changes, expected);
    try {
      const options = expected === undefined ? { why } : { why, expected };
      const revision = await this.#store.commit(this.#tenant, changes, options);
      this.#ledger.committed(why, revision);
      this.#last = revision;
      return revision;
    } catch (error) {
      this.#last = undefined;
      if (!(error instanceof PosternError)) throw error;
      if (error.code === 'REVISION_CONFLICT') this.#ledger.refused(why);
      else if (error.code !== 'STORE_UNAVAILABLE') throw error;
      return undefined;
    }
  }
}
