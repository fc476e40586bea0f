/**
 * Tells when a policy file may have changed. Owns the watching library. Called by whoever follows a file; it never
 * reads the file's content. It watches the directory, not the file: editors replace the file, and Kubernetes swaps a
 * link beside it (`..data`) that the file leads through. Where events do not come at all (network file systems), a
 * slow look at the file itself finds the change.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { watch } from 'chokidar';

export interface WatchOptions {
  /** Quiet time after the last event before the change is told, in ms; default 100. */
  readonly debounceMs?: number;
  /** How often the file is looked at without an event, in ms; default 10,000. */
  readonly recheckMs?: number;
  /** A failure of watching; the slow look goes on. */
  readonly onError?: (error: unknown) => void;
}

export interface FileWatch {
  /** Resolves once events are being received. */
  readonly ready: Promise<void>;
  /** Ends watching; idempotent. */
  close(): Promise<void>;
}

/** Calls back after the file was written, replaced, moved in or removed; a call may come without a change. */
export function watchPolicyFile(path: string, onChange: () => void, options: WatchOptions = {}): FileWatch {
  const { debounceMs = 100, recheckMs = 10_000, onError = () => {} } = options;
  const file = resolve(path);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let seen = '';

  const soon = () => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      void look(file).then((now) => {
        seen = now;
        if (!closed) onChange();
      });
    }, debounceMs);
  };
  const soonIfChanged = async () => {
    const now = await look(file);
    if (now !== seen) soon();
  };

  const watcher = watch(dirname(file), { depth: 0, followSymlinks: false, ignoreInitial: true, atomic: false });
  watcher.on('all', (_event, changed) => {
    if (basename(changed) === basename(file)) soon();
    else void soonIfChanged();
  });
  watcher.on('error', onError);
  const watching = new Promise<void>((done) => {
    watcher.once('ready', done);
  });
  const first = look(file).then((now) => {
    seen = now;
  });
  const interval = setInterval(() => void soonIfChanged(), recheckMs);
  interval.unref();

  let closing: Promise<void> | undefined;
  const close = () => {
    closed = true;
    clearTimeout(timer);
    clearInterval(interval);
    closing ??= watcher.close();
    return closing;
  };
  return { ready: Promise.all([watching, first]).then(() => {}), close };
}

/** What tells one state of a file from another without reading it; links are followed. Empty where there is none. */
async function look(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '';
  }
}
