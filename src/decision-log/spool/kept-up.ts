/**
 * Remembers on disk whether everything is there that was answered, but for the newest, and how many milliseconds those
 * are at most: a mark that is taken away while
 * the spool is full or cannot be written, for which a disk that is full has room. A process that finds none does not
 * know how much the one before it had in memory. One for each instance; used by the spool outlet.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** No tenant is called so. */
const markName = '.kept-up';

export class KeptUp {
  readonly #path: string;
  readonly #lostMs: number;
  /** What the process before this one can have lost, in milliseconds; undefined where nobody knows. */
  readonly beforeMs: number | undefined;
  #held = 0;
  /** One after the other, and waited for by nobody: the disk may be slow. */
  #marked: Promise<void> = Promise.resolve();

  private constructor(path: string, lostMs: number, beforeMs: number | undefined) {
    this.#path = path;
    this.#lostMs = lostMs;
    this.beforeMs = beforeMs;
  }

  /** @param lostMs What this process can lose. */
  static async open(directory: string, lostMs: number): Promise<KeptUp> {
    const path = join(directory, markName);
    const text = await readFile(path, 'utf8').catch(() => '');
    const keptUp = new KeptUp(path, lostMs, /^[0-9]+$/.test(text) ? Number(text) : undefined);
    await mark(path, lostMs);
    return keptUp;
  }

  /** Records wait in memory now that should be on disk. To be ended as often as it was begun. */
  begin(): void {
    if (this.#held++ > 0) return;
    this.#marked = this.#marked.then(() => unmark(this.#path));
  }

  end(): void {
    if (--this.#held > 0) return;
    this.#marked = this.#marked.then(() => mark(this.#path, this.#lostMs));
  }
}

/** Where it fails, the next process says that it does not know, and that is true. */
async function mark(path: string, lostMs: number): Promise<void> {
  await writeFile(path, String(lostMs), { mode: 0o600 }).catch(() => {});
}

/** A disk that does not even take this away says so elsewhere. */
async function unmark(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}
