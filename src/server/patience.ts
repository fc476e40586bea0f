/**
 * How long a call is worked on: until a little before its deadline, so that the caller still hears why, or until the
 * caller goes away. Both transports use it.
 */

/** The longest, where the caller set no deadline or a later one, in milliseconds. */
export const maxPatienceMs = 30_000;
/** What is kept of the deadline to send the refusal, at most, in milliseconds. */
const replyReserveMs = 50;

export interface Patience {
  readonly signal: AbortSignal;
  /** Aborts: the caller is gone. */
  end(): void;
  /** Forgets the deadline: there is an answer. */
  release(): void;
}

/** @param remainingMs Until the deadline; Infinity without one. */
export function startPatience(remainingMs: number): Patience {
  const controller = new AbortController();
  const end = () => controller.abort();
  const reserveMs = Math.min(replyReserveMs, remainingMs / 4);
  const timer = setTimeout(end, Math.max(0, Math.min(remainingMs - reserveMs, maxPatienceMs)));
  return { signal: controller.signal, end, release: () => clearTimeout(timer) };
}
