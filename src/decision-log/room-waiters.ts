/** Those who wait until the log has room again, where the operator chose that they wait. Used by buffered-log. */
import { PosternError } from '../model/errors.ts';

/** How often it is looked whether there is room, in milliseconds: who waits does so because a sink is slow. */
const lookMs = 5;
const releasedAtOnce = 256;

export class RoomWaiters {
  readonly #hasRoom: () => boolean;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** @throws PosternError LOG_FULL when the signal ends the wait */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiting.delete(done);
        reject(
          new PosternError(
            'LOG_FULL',
            'the decision log is full, and this sidecar answers nothing that it cannot record (--decision-log-mode=block): try again, and look at where decisions go',
          ),
        );
      };
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(done);
      this.#timer ??= setInterval(() => this.#look(), lookMs);
    });
  }

  /** Lets everybody go on. */
  close(): void {
    this.#release(Number.POSITIVE_INFINITY);
  }

  /** Some at a time: each brings a record, but only after this turn. */
  #look(): void {
    if (this.#hasRoom()) this.#release(releasedAtOnce);
  }

  #release(count: number): void {
    let left = count;
    for (const resume of this.#waiting) {
      if (left-- === 0) return;
      this.#waiting.delete(resume);
      resume();
    }
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
