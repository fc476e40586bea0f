/**
 * Runs one piece of work at a time, again where it was asked for meanwhile, and until it succeeds: how a replica
 * synchronises. Pauses between failed tries double, with jitter, so that a fleet spreads.
 */
import { Pause } from './pause.ts';

/** The longest pause between two tries, in milliseconds. */
const longestRetryMs = 30_000;

export interface RoundsOptions {
  /** Rejects where it has to be tried again. */
  readonly work: () => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  /** The first pause, in milliseconds. */
  readonly retryMs: number;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #pause = new Pause();
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Begins a round; while one runs, one more follows it. */
  begin(): void {
    if (this.#closed) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#untilDone().finally(() => {
      this.#running = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.begin();
    });
  }

  /** The same on news: what made the last try fail may be over, so what is left of the pause after it is at most this. */
  beginSoon(pauseMs: number): void {
    this.begin();
    this.#pause.shorten(pauseMs);
  }

  /** No round begins any more; the one that runs ends by itself. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#pause.shorten(0);
  }

  async #untilDone(): Promise<void> {
    for (let tries = 0; ; tries++) {
      this.#again = false;
      try {
        await this.#options.work();
        return;
      } catch (error) {
        if (this.#closed) return;
        this.#options.onFailure(error);
      }
      await this.#pause.wait(Math.min(this.#options.retryMs * 2 ** tries, longestRetryMs) * (1 + Math.random() / 2));
      if (this.#closed) return;
    }
  }
}
