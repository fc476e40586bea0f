/**
 * How many files a log keeps open at once, whatever the number of its tenants: a file is opened when it is used, and stays
 * open until others need its place, the one that was used least recently first. Whoever finds all of them in use waits.
 * Nothing may be used within the use of another file, or all could wait for each other. Used by the spool and the file sink.
 */
import { readFileSync } from 'node:fs';

/** A file that can be open or not; the content of both is its own. */
export interface Openable {
  /** @throws what the file system throws */
  open(): Promise<void>;
  /** Closes it; open() may come again before this has ended. Never rejects. */
  letGo(): Promise<void>;
}

interface Use {
  users: number;
  readonly opened: Promise<void>;
  /** Whether it stays open when nobody uses it any more. */
  isOpen: boolean;
}

/** Where the limit of the process is not known. */
const defaultMost = 256;
/** What one log may take of that limit; the rest is for another, and for connections. */
const share = 1 / 4;
const [least, highest] = [8, 4096];

/** A share of what the process may have open. */
export function mostOpenFiles(): number {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return defaultMost;
  }
  const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return limit === undefined ? defaultMost : Math.max(least, Math.min(highest, Math.floor(Number(limit) * share)));
}

export class OpenFiles {
  readonly #most: number;
  readonly #inUse = new Map<Openable, Use>();
  /** Open and not in use, the least recently used first. */
  readonly #idle = new Set<Openable>();
  readonly #waiting: (() => void)[] = [];

  constructor(most = mostOpenFiles()) {
    this.#most = most;
  }

  /** Works with a file that is open meanwhile. @throws what opening it and the work throw */
  async use<T>(file: Openable, work: () => Promise<T>): Promise<T> {
    const use = await this.#take(file);
    try {
      await use.opened;
      return await work();
    } finally {
      this.#release(file, use);
    }
  }

  /** Work that opens a file of its own, and closes it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const own: Openable = { open: nothing, letGo: nothing };
    try {
      return await this.use(own, work);
    } finally {
      await this.close(own);
    }
  }

  /** Lets go of a file, for good or until it is used again. */
  async close(file: Openable): Promise<void> {
    const use = this.#inUse.get(file);
    if (use !== undefined) use.isOpen = false;
    this.#idle.delete(file);
    await file.letGo();
    this.#wake();
  }

  async #take(file: Openable): Promise<Use> {
    for (;;) {
      const found = this.#inUse.get(file);
      if (found !== undefined) {
        found.users++;
        return found;
      }
      if (this.#idle.delete(file)) return this.#begin(file, Promise.resolve());
      if (this.#inUse.size + this.#idle.size < this.#most) return this.#begin(file, file.open());
      const [oldest] = this.#idle;
      if (oldest !== undefined) {
        this.#idle.delete(oldest);
        return this.#begin(
          file,
          oldest.letGo().then(() => file.open()),
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #begin(file: Openable, opened: Promise<void>): Use {
    const use: Use = { users: 1, opened, isOpen: false };
    opened.then(
      () => {
        use.isOpen = true;
      },
      () => {},
    );
    this.#inUse.set(file, use);
    return use;
  }

  #release(file: Openable, use: Use): void {
    use.users--;
    if (use.users > 0) return;
    this.#inUse.delete(file);
    if (use.isOpen) this.#idle.add(file);
    this.#wake();
  }

  #wake(): void {
    this.#waiting.shift()?.();
  }
}

async function nothing(): Promise<void> {}
