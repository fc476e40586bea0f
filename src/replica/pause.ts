/** A wait that can be cut short, one at a time. The replica pauses with it between tries; it keeps no process alive. */
export class Pause {
  #timer: NodeJS.Timeout | undefined;
  #endsAtMs = 0;
  #end: (() => void) | undefined;

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#end = () => {
        this.#end = undefined;
        resolve();
      };
      this.#schedule(ms);
    });
  }

  /** What is left of the wait is at most this; nothing where nobody waits. */
  shorten(ms: number): void {
    if (this.#end !== undefined && performance.now() + ms < this.#endsAtMs) this.#schedule(ms);
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#endsAtMs = performance.now() + ms;
    this.#timer = setTimeout(() => this.#end?.(), ms);
    this.#timer.unref();
  }
}
