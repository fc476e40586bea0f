/** Tries what a disk refuses again and again, and says so once. Used by the spool. */
import { messageOf } from '../../model/errors.ts';
import { backOff } from '../delivery.ts';
import type { LogEvent } from '../events.ts';

export interface RetryOptions {
  readonly tenant: string;
  readonly onEvent: (event: LogEvent) => void;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly signal: AbortSignal;
}

/** Undefined where the signal was aborted before it succeeded; it is tried once in any case. */
export async function retried<T>(work: () => Promise<T>, options: RetryOptions): Promise<T | undefined> {
  const { tenant, onEvent, retryMinMs, retryMaxMs, signal } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      const done = await work();
      if (attempt > 0) onEvent({ kind: 'spool_recovered', tenant });
      return done;
    } catch (error) {
      if (attempt === 0) onEvent({ kind: 'spool_failed', tenant, message: messageOf(error) });
      if (signal.aborted) return undefined;
      await backOff(attempt, retryMinMs, retryMaxMs, signal);
    }
  }
}
