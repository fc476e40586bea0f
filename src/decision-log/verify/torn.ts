/**
 * Lines that are no records. A process that dies while it writes leaves the
 * beginning of a line; where the whole line comes later, or a start stands
 * behind it, that is no more than a note. Everything else is a problem.
 */
import type { Line } from './line.ts';

export interface Garbage {
  readonly bytes: Buffer;
  readonly where: string;
  readonly ordinal: number;
  readonly problem: string;
}

/** How many lines behind it the whole line may come. */
const patienceLines = 50_000;
/** Longer garbage is not kept, and not explained. */
const maxBytes = 64 * 1024;
const maxWaiting = 16;

export class TornLines {
  #waiting: Garbage[] = [];
  /** The ordinal of the last one. */
  #last = -1;
  readonly #onTorn: (garbage: Garbage, note: string) => void;
  readonly #onGarbage: (garbage: Garbage) => void;

  constructor(onTorn: (garbage: Garbage, note: string) => void, onGarbage: (garbage: Garbage) => void) {
    this.#onTorn = onTorn;
    this.#onGarbage = onGarbage;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(garbage: Garbage): void {
    // What a crash leaves is one line, and whole ones behind it.
    const isSecond = this.#last === garbage.ordinal - 1;
    this.#last = garbage.ordinal;
    if (isSecond) this.end();
    if (isSecond || garbage.bytes.length > maxBytes) this.#onGarbage(garbage);
    else this.#waiting.push(garbage);
    if (this.#waiting.length > maxWaiting) this.#onGarbage(this.#waiting.shift() as Garbage);
  }

  /** A record that stands behind them. */
  explain(line: Line): void {
    this.#waiting = this.#waiting.filter((garbage) => {
      const { bytes, ordinal } = garbage;
      if (line.kind === 'start' && line.ordinal === ordinal + 1 && isUnfinished(bytes)) {
        this.#onTorn(garbage, 'a line that a process did not finish before it died');
      } else if (beginsWith(line, bytes)) {
        this.#onTorn(garbage, 'a line that was not finished; the whole of it comes later');
      } else if (line.ordinal > ordinal + patienceLines) this.#onGarbage(garbage);
      else return true;
      return false;
    });
  }

  /** The end of the source: nothing will explain them any more. */
  end(): void {
    for (const garbage of this.#waiting) this.#onGarbage(garbage);
    this.#waiting = [];
  }
}

/** Whether it begins as a line does, and ends before a line would. */
function isUnfinished(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  const hash = text.lastIndexOf(',"hash":"');
  if (!/^\{"?(?:[it]|$)/.test(text) || text.endsWith('}')) return false;
  return hash < 0 || /^,"hash":"[\w-]{0,43}"?$/.test(text.slice(hash));
}

function beginsWith({ bytes, start, end }: Line, part: Buffer): boolean {
  return part.length < end - start && part.compare(bytes, start, start + part.length) === 0;
}
