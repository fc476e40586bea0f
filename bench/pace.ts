/** A fixed rate that waits for nobody: what holds up an answer must not hold up the next question. */

/**
 * Calls back once for each moment that is due, several times at once where this process was late.
 * @param onDue Told when the moment was, by performance.now().
 * @returns The way to stop
 */
export function pace(perSecond: number, onDue: (dueMs: number) => void): () => void {
  const intervalMs = 1_000 / perSecond;
  let dueMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (; dueMs <= nowMs; dueMs += intervalMs) onDue(dueMs);
  }, 1);
  return () => clearInterval(timer);
}
