/** A progress bar on stderr for work that takes long; nothing where stderr is not a terminal or the work is small. */
import progress from 'cli-progress';

export interface Progress {
  readonly update: (done: number) => void;
  /** Takes the bar away; idempotent. */
  readonly stop: () => void;
}

/** Smaller work is over before a bar could be read. */
const minTotal = 5_000;

export function startProgress(what: string, total: number): Progress {
  if (!process.stderr.isTTY || total < minTotal) return { update: () => {}, stop: () => {} };
  const bar = new progress.SingleBar(
    { format: `${what} {bar} {percentage}% | {value}/{total} | {duration_formatted}`, clearOnComplete: true },
    progress.Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}
