/** Something that is done again and again, a little early or late each time, so that a fleet which began at once spreads. */

/** How much earlier or later than its time one turn comes, at most, as a part of the interval. */
const spread = 0.25;

/** Keeps no process alive. @returns The way to stop; idempotent. */
export function startJitteredInterval(act: () => void, intervalMs: number): () => void {
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(
      () => {
        schedule();
        act();
      },
      intervalMs * (1 - spread + 2 * spread * Math.random()),
    ).unref();
  };
  schedule();
  return () => clearTimeout(timer);
}
