/**
 * Messages that came in over one connection, on their way to those who follow: in order within a channel, the channels
 * in turn, and never for long in one turn of the event loop. So a tenant that changes thousands of times a second holds
 * up neither the questions that are asked meanwhile nor the changes of the others. Used by follow.ts alone; it knows
 * nothing of what messages say.
 */

/** How long messages are delivered in one turn of the event loop, in milliseconds; one of them may take longer. */
const turnMs = 2;
/** Messages that wait in one channel. Who falls further behind hears the newest only, sees the gap, and reads history. */
const mostWaiting = 1_000;

export class Inbox {
  readonly #deliver: (channel: string, text: string) => void;
  readonly #waiting = new Map<string, string[]>();
  /** When this turn's first message was delivered; undefined before it. */
  #beganMs: number | undefined;

  constructor(deliver: (channel: string, text: string) => void) {
    this.#deliver = deliver;
  }

  /** At once where nothing waits and this turn has time left. */
  put(channel: string, text: string): void {
    if (this.#waiting.size === 0 && this.#hasTime()) {
      this.#deliver(channel, text);
      return;
    }
    const waiting = this.#waiting.get(channel);
    if (waiting === undefined) this.#waiting.set(channel, [text]);
    else if (waiting.length < mostWaiting) waiting.push(text);
    else this.#waiting.set(channel, [text]);
  }

  #hasTime(): boolean {
    if (this.#beganMs !== undefined) return performance.now() - this.#beganMs < turnMs;
    this.#beganMs = performance.now();
    setImmediate(() => this.#turn());
    return true;
  }

  #turn(): void {
    this.#beganMs = undefined;
    while (this.#waiting.size > 0 && this.#hasTime()) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [channel, waiting] = next;
      const text = waiting.shift() as string;
      // To the end of the round.
      this.#waiting.delete(channel);
      if (waiting.length > 0) this.#waiting.set(channel, waiting);
      this.#deliver(channel, text);
    }
  }
}
