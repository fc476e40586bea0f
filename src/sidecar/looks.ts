/**
 * Looks at something that takes time, one at a time, shared by all who ask: each is answered by a look that began
 * after it asked, because one that ran already may have passed over what it asks about. Nothing here knows what is
 * looked at.
 */
export class Looks {
  readonly #look: () => Promise<void>;
  readonly #leastMs: number;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #paused: Promise<void> | undefined;
  #beganMs = Number.NEGATIVE_INFINITY;

  /** @param leastMs What lies between the beginnings of two looks that anybody may cause, in milliseconds. */
  constructor(look: () => Promise<void>, leastMs: number) {
    this.#look = look;
    this.#leastMs = leastMs;
  }

  /** Resolves when the look that runs now, if any, is over, no matter how. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  /** Looks as soon as no other look runs. @throws what looking throws */
  now(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#begin();
    const begin = () => this.#begin();
    this.#next = this.#running.then(begin, begin);
    return this.#next;
  }

  /** The same, but never soon after another one: for what anybody may cause. @throws what looking throws */
  soon(): Promise<void> {
    const leftMs = this.#beganMs + this.#leastMs - performance.now();
    if (leftMs <= 0) return this.now();
    this.#paused ??= new Promise<void>((resolve) => void setTimeout(resolve, leftMs).unref()).then(() => {
      this.#paused = undefined;
      return this.now();
    });
    return this.#paused;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    this.#beganMs = performance.now();
    const look = this.#look().finally(() => {
      if (this.#running === look) this.#running = undefined;
    });
    this.#running = look;
    return look;
  }
}
