/**
 * Brings chained lines to the sink, again and again until it takes them or everything is given up; both outlets use it.
 * What the sink refuses for good becomes the texts of gap records, which the outlet chains behind.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import { hashOf } from './chain/chain.ts';
import { createMarks } from './chain/marks.ts';
import type { LogEvent } from './events.ts';
import { LineBatch } from './line-batch.ts';
import type { Refused, Sink } from './sink.ts';
import { numberIn } from './spool/last-line.ts';

export interface DeliveryOptions {
  readonly instance: string;
  readonly sink: Sink;
  /** Waits between attempts of a write that failed: doubling from the first to the second, with jitter. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly onEvent: (event: LogEvent) => void;
  readonly now: () => number;
  /** Ends every wait for a retry. */
  readonly abandon: AbortSignal;
}

export interface Delivered {
  readonly refused: number;
  /** Texts of gap records about what was refused. */
  readonly gaps: readonly string[];
}

const hasNumber = /^\{("type":"change",)?"id":/;

export class Delivery {
  readonly #options: DeliveryOptions;
  delivered = 0;
  refused = 0;
  failedWrites = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * @param bytes Whole lines, in order; they stay as they are until this is over.
   * @param hashBefore Of the line before the first one.
   * @returns undefined where everything was given up before the sink took them
   */
  async deliver(tenant: string, bytes: Buffer, hashBefore: string): Promise<Delivered | undefined> {
    const batch = new LineBatch(tenant, bytes);
    const refused = await this.#writeWithRetry(batch);
    if (refused === undefined) return undefined;
    const { decisions } = batch;
    if (refused.length === 0) {
      this.delivered += decisions;
      return { refused: 0, gaps: [] };
    }
    const { lost, gaps } = this.#gapsOf(tenant, batch.lines(), refused, hashBefore);
    this.delivered += decisions - lost;
    this.refused += lost;
    if (lost > 0) this.#options.onEvent({ kind: 'refused', tenant, records: lost });
    return { refused: lost, gaps };
  }

  async #writeWithRetry(batch: LineBatch): Promise<Refused | undefined> {
    const { sink, abandon, onEvent, retryMinMs, retryMaxMs } = this.#options;
    const { tenant } = batch;
    for (let attempt = 0; !abandon.aborted; attempt++) {
      try {
        const refused = await orAborted(sink.write(batch), abandon);
        if (attempt > 0 && refused !== undefined) onEvent({ kind: 'sink_recovered', tenant, attempts: attempt + 1 });
        return refused;
      } catch (error) {
        this.failedWrites++;
        if (attempt === 0) onEvent({ kind: 'sink_failed', tenant, message: messageOf(error) });
        await backOff(attempt, retryMinMs, retryMaxMs, abandon);
      }
    }
    return undefined;
  }

  /** Runs of refused decisions. A gap record that is refused is not told again: the sink would refuse it for ever. */
  #gapsOf(tenant: string, lines: readonly string[], refused: Refused, hashBefore: string) {
    const marks = createMarks(this.#options.instance, tenant);
    const gaps: string[] = [];
    let lost = 0;
    for (let i = 0; i < refused.length; ) {
      const from = refused[i] as number;
      let through = from;
      const seqs: number[] = [];
      for (; i < refused.length && (refused[i] as number) <= through + 1; i++) {
        through = refused[i] as number;
        const line = lines[through] as string;
        // One that was damaged on disk tells none; a reader finds it by its hash.
        const seq = hasNumber.test(line) ? numberIn(line) : undefined;
        if (seq !== undefined) seqs.push(seq);
      }
      if (seqs.length === 0) continue;
      lost += seqs.length;
      const range = { first: seqs[0] as number, last: seqs.at(-1) as number };
      const bridge = {
        from: from === 0 ? hashBefore : hashOf(lines[from - 1] as string),
        through: hashOf(lines[through] as string),
      };
      gaps.push(marks.gap(range, 'refused', this.#options.now(), bridge));
    }
    return { lost, gaps };
  }
}

/** Half of each wait is at random: a fleet that lost its Redis at one instant must not come back at one instant. */
export async function backOff(attempt: number, minMs: number, maxMs: number, signal: AbortSignal): Promise<void> {
  const backoffMs = Math.min(minMs * 2 ** Math.min(attempt, 20), maxMs);
  await delay(backoffMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
}

/** What the promise resolves to, or undefined as soon as the signal is aborted: a sink may never answer. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
