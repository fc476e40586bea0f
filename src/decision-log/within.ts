/** Waits that have an end, for closing what may never answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import type { LogEvent } from './events.ts';
import type { Sink } from './sink.ts';

/** After everything else, how long the sink itself may take to close. */
const sinkCloseMs = 1_000;

/** Resolves when the work is over, well or not, or after so many milliseconds. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

export async function closeWithin(sink: Sink, onEvent: (event: LogEvent) => void): Promise<void> {
  const onFailure = (error: unknown) => onEvent({ kind: 'close_failed', message: messageOf(error) });
  await within(sinkCloseMs, sink.close().catch(onFailure));
}
