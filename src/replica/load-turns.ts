/**
 * Whose turn it is to load a whole graph. Loads share one thread and one connection with the questions of every
 * tenant, so only few run at once, and a tenant that loads over and over gets a share of them and no more. Made once
 * for all tenants of a process; each replica loads through the way that `lane` makes for it. It never loads anything
 * by itself, and knows nothing of what is loaded.
 */
import { PosternError } from '../model/errors.ts';
import type { InTurn } from './options.ts';

export interface LoadTurnsOptions {
  /** How many loads run at once. */
  readonly slots: number;
  /** How many of them may be of tenants whose last load failed, or took long. */
  readonly heavySlots: number;
  /** Milliseconds that a tenant without a graph has to wait until there may be room for it; 0 where there is. */
  readonly roomInMs: () => number;
  /** Milliseconds, never going back. */
  readonly now: () => number;
}

/** One tenant's way to its turns. */
export interface LoadLane {
  /** Runs a load when it is its turn. One at a time for each lane. @throws what the load throws */
  readonly inTurn: InTurn;
  /** Somebody waits for it: it comes before loads that nobody waits for, unless its last one failed or took long. */
  readonly hurry: () => void;
}

/** A load that takes longer than this makes the next one of its tenant a heavy one, in milliseconds. */
const heavyMs = 500;
/** A tenant that loads again rests this many times as long as the last load took, at most `longestRestMs`. */
const restFactor = 4;
const longestRestMs = 5_000;

interface Ticket {
  readonly begin: () => void;
  /** Whether the tenant has no graph yet. */
  readonly first: boolean;
  readonly heavy: boolean;
}

export class LoadTurns {
  readonly #options: LoadTurnsOptions;
  /** Those who wait: first loads that somebody waits for, others, repeated ones, and heavy ones. */
  readonly #asked = new Set<Ticket>();
  readonly #first = new Set<Ticket>();
  readonly #again = new Set<Ticket>();
  readonly #heavy = new Set<Ticket>();
  readonly #queues = [this.#asked, this.#first, this.#again, this.#heavy];
  /** The queue that was served last: each comes in turn. */
  #served = 0;
  #running = 0;
  #runningHeavy = 0;
  #resting = 0;
  #roomTimer: NodeJS.Timeout | undefined;

  constructor(options: LoadTurnsOptions) {
    this.#options = options;
  }

  /** Loads that wait for their turn, those whose tenant rests included. */
  get waiting(): number {
    return this.#resting + this.#queues.reduce((sum, queue) => sum + queue.size, 0);
  }

  get running(): number {
    return this.#running;
  }

  /** @param isAsked Whether somebody waits for the tenant now. */
  lane(isAsked: () => boolean): LoadLane {
    let loaded = false;
    let failed = false;
    let tookMs = 0;
    let endedMs = Number.NEGATIVE_INFINITY;
    let ticket: Ticket | undefined;
    return {
      inTurn: async (load) => {
        await this.#rest(endedMs + Math.min(longestRestMs, tookMs * restFactor));
        const heavy = failed || tookMs > heavyMs;
        await new Promise<void>((begin) => {
          ticket = { begin, first: !loaded, heavy };
          const first = isAsked() ? this.#asked : this.#first;
          (heavy ? this.#heavy : loaded ? this.#again : first).add(ticket);
          this.#go();
        });
        ticket = undefined;
        const beganMs = this.#options.now();
        failed = false;
        let away = false;
        try {
          const result = await load();
          loaded = true;
          return result;
        } catch (error) {
          away = isStoreAway(error);
          failed = !away;
          throw error;
        } finally {
          endedMs = this.#options.now();
          tookMs = away ? 0 : endedMs - beganMs;
          this.#running--;
          if (heavy) this.#runningHeavy--;
          this.#go();
        }
      },
      hurry: () => {
        if (ticket !== undefined && this.#first.delete(ticket)) this.#asked.add(ticket);
      },
    };
  }

  /** There may be room now for those who waited for it. */
  roomChanged(): void {
    this.#go();
  }

  /** Lets nobody wait for room any more; what waits for its turn is for its owner to end. Idempotent. */
  close(): void {
    clearTimeout(this.#roomTimer);
  }

  async #rest(untilMs: number): Promise<void> {
    const leftMs = untilMs - this.#options.now();
    if (leftMs <= 0) return;
    this.#resting++;
    await new Promise<void>((resolve) => void setTimeout(resolve, leftMs).unref());
    this.#resting--;
  }

  #go(): void {
    while (this.#running < this.#options.slots) {
      const ticket = this.#next();
      if (ticket === undefined) return;
      this.#running++;
      if (ticket.heavy) this.#runningHeavy++;
      ticket.begin();
    }
  }

  /** Takes the next out of its queue. */
  #next(): Ticket | undefined {
    let roomInMs: number | undefined;
    for (let i = 1; i <= this.#queues.length; i++) {
      const index = (this.#served + i) % this.#queues.length;
      const queue = this.#queues[index] as Set<Ticket>;
      if (queue === this.#heavy && this.#runningHeavy >= this.#options.heavySlots) continue;
      const [ticket] = queue;
      if (ticket === undefined) continue;
      if (ticket.first) {
        roomInMs ??= this.#options.roomInMs();
        if (roomInMs > 0) continue;
      }
      this.#served = index;
      queue.delete(ticket);
      return ticket;
    }
    if (roomInMs !== undefined && roomInMs > 0) this.#goIn(roomInMs);
    return undefined;
  }

  #goIn(ms: number): void {
    clearTimeout(this.#roomTimer);
    this.#roomTimer = setTimeout(() => this.#go(), ms).unref();
  }
}

/** That is no tenant's fault, and says nothing of how long its loads take. */
function isStoreAway(error: unknown): boolean {
  return error instanceof PosternError && error.code === 'STORE_UNAVAILABLE';
}
