/**
 * Remembers on disk whether everything is there that was answered, but for the newest: a mark that is taken away while
 * the spool is full or cannot be written, for which a disk that is full has room. A process that finds none does not
 * know how much the one before it had in memory. One for each instance; used by the spool outlet.
 */
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** No tenant is called so. */
const markName = '.kept-up';

export class KeptUp {
  readonly #path: string;
  /** Of the process before this one; true where there was none. */
  readonly before: boolean;
  #held = 0;
  /** One after the other, and waited for by nobody: the disk may be slow. */
  #marked: Promise<void> = Promise.resolve();

  private constructor(path: string, before: boolean) {
    this.#path = path;
    this.before = before;
  }

  /** @param isNew Whether nobody used this directory before. */
  static async open(directory: string, isNew: boolean): Promise<KeptUp> {
    const path = join(directory, markName);
    const isMarked = await access(path).then(
      () => true,
      () => false,
    );
    const keptUp = new KeptUp(path, isMarked || isNew);
    await mark(path);
    return keptUp;
  }

  /** Records wait in memory now that should be on disk. To be ended as often as it was begun. */
  begin(): void {
    if (this.#held++ > 0) return;
    this.#marked = this.#marked.then(() => unmark(this.#path));
  }

  end(): void {
    if (--this.#held > 0) return;
    this.#marked = this.#marked.then(() => mark(this.#path));
  }
}

/** Where it fails, the next process says that it does not know, and that is true. */
async function mark(path: string): Promise<void> {
  await writeFile(path, '', { mode: 0o600 }).catch(() => {});
}

/** A disk that does not even take this away says so elsewhere. */
async function unmark(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}
