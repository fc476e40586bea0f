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

export interface TimeProgress {
  /** @param time Of the record that was read, RFC 3339. */
  readonly update: (time: string) => void;
  /** Takes the bar away; idempotent. */
  readonly stop: () => void;
}

/** Records between two looks at the clock. */
const step = 1_000;

/**
 * The same for a log that is read in the order of time, of which nobody knows how long it is: by where between its
 * first record and its end the newest one lies.
 * @param endMs Milliseconds since 1970.
 */
export function startTimeProgress(what: string, endMs: number, isShown = true): TimeProgress {
  if (!process.stderr.isTTY || !isShown) return { update: () => {}, stop: () => {} };
  let bar: progress.SingleBar | undefined;
  let beganMs = 0;
  let records = 0;
  return {
    update(time) {
      if (records++ === 0) beganMs = Date.parse(time);
      if (records % step !== 0) return;
      if (bar === undefined) {
        const format = `${what} {bar} {percentage}% | {records} records | {duration_formatted}`;
        bar = new progress.SingleBar({ format, clearOnComplete: true }, progress.Presets.shades_classic);
        bar.start(1_000, 0, { records });
      }
      const share = (Date.parse(time) - beganMs) / Math.max(1, endMs - beganMs);
      bar.update(Math.min(1_000, Math.max(0, Math.round(1_000 * share))), { records });
    },
    stop: () => bar?.stop(),
  };
}
