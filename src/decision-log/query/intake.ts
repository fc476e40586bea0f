/**
 * What has been read of several logs and was not taken yet: bounded, so that whoever reads waits for whoever takes.
 * Made by tail-logs.ts, one for each reader.
 */
import type { FoundLine } from './selection.ts';

export interface TailEvent {
  /** In the order of each tenant's log. */
  readonly entries: readonly FoundLine[];
  /** Records that went before they were read. */
  readonly losses: readonly TailLoss[];
  /** What keeps logs from being read now; empty where nothing does. */
  readonly problem: string;
}

export interface TailLoss {
  readonly tenant: string;
  readonly atLeast: number;
}

/** What is kept at most: some hundreds of kilobytes. */
const mostEntries = 200;
const mostChars = 256 * 1024;

export class Intake {
  #entries: FoundLine[] = [];
  #chars = 0;
  #losses: TailLoss[] = [];
  readonly #problems = new Map<string, string>();
  #problemTold = '';
  #failure: { readonly error: unknown } | undefined;
  /** Those that still read. */
  #readers = 0;
  #closed = false;
  #wakeTaker: (() => void) | undefined;
  #wakeReaders: (() => void)[] = [];

  /** One more reads. */
  begin(): void {
    this.#readers++;
  }

  /** Resolves when there is room for the next one, or nobody who takes it. */
  async add(entry: FoundLine): Promise<void> {
    this.#entries.push(entry);
    this.#chars += entry.line.length;
    this.#wakeTaker?.();
    while (!this.#closed && (this.#entries.length >= mostEntries || this.#chars >= mostChars)) {
      await new Promise<void>((resolve) => this.#wakeReaders.push(resolve));
    }
  }

  /** A line that is no record. */
  garbage(where: string, problem: string): void {
    // Its reader does not wait: what is broken all over must not fill the memory.
    if (this.#entries.length >= 2 * mostEntries) return;
    this.#entries.push({ line: '', where, problem });
    this.#wakeTaker?.();
  }

  lose(tenant: string, atLeast: number): void {
    this.#losses.push({ tenant, atLeast });
    this.#wakeTaker?.();
  }

  /** @param problem Empty where there is none any more. */
  setProblem(tenant: string, problem: string): void {
    if (problem === '') this.#problems.delete(tenant);
    else this.#problems.set(tenant, problem);
    this.#wakeTaker?.();
  }

  /** One of the readers has come to its end. */
  done(): void {
    this.#readers--;
    this.#wakeTaker?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wakeTaker?.();
  }

  close(): void {
    this.#closed = true;
    this.#wakeTaker?.();
    this.#letRead();
  }

  /** What there is, at once or when there is something, or after `withinMs`; undefined at the end. For one caller at a time. */
  async take(withinMs: number): Promise<TailEvent | undefined> {
    if (!this.#hasNews) await this.#news(withinMs);
    if (this.#closed) return undefined;
    if (this.#entries.length === 0 && this.#losses.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#readers === 0) return undefined;
    }
    const event = { entries: this.#entries, losses: this.#losses, problem: this.#problem };
    this.#problemTold = event.problem;
    this.#entries = [];
    this.#chars = 0;
    this.#losses = [];
    this.#letRead();
    return event;
  }

  get #problem(): string {
    const [first = ''] = this.#problems.values();
    return first;
  }

  get #hasNews(): boolean {
    const isOver = this.#closed || this.#readers === 0 || this.#failure !== undefined;
    return isOver || this.#entries.length > 0 || this.#losses.length > 0 || this.#problem !== this.#problemTold;
  }

  #news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(), withinMs);
      const done = () => {
        clearTimeout(timer);
        this.#wakeTaker = undefined;
        resolve();
      };
      this.#wakeTaker = () => {
        if (this.#hasNews) done();
      };
    });
  }

  #letRead(): void {
    for (const wake of this.#wakeReaders.splice(0)) wake();
  }
}
