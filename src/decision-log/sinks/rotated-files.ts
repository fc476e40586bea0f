/**
 * Files of a log that are complete: their names, their order, and which of them may go. Only what this instance wrote
 * is touched, only from the oldest on, and never the newest: numbers go up for ever, so a reader who finds 000007 first
 * knows that six are gone. Used by the file sink only.
 */
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What is kept of complete files; 0 is no bound. Both bounds hold at once. */
export interface FileRetention {
  readonly maxFiles: number;
  /** Counted from the last record of a file. */
  readonly maxAgeMs: number;
}

/** `decisions-web-1.000042.ndjson`. */
export function rotatedName(instance: string, number: number): string {
  return `decisions-${instance}.${String(number).padStart(6, '0')}.ndjson`;
}

interface RotatedFile {
  readonly number: number;
  readonly name: string;
}

/** The complete files of an instance, numbers ascending; those that somebody has compressed since count, too. */
export async function rotatedFiles(directory: string, instance: string): Promise<RotatedFile[]> {
  const prefix = `decisions-${instance}.`;
  return (await readdir(directory))
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ name, number: Number(/^([0-9]{6,})\.ndjson(\.gz)?$/.exec(name.slice(prefix.length))?.[1] ?? 0) }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
}

/** Removes what is over the bounds. @throws what the system says, with the path */
export async function removeOld(
  directory: string,
  instance: string,
  { maxFiles, maxAgeMs }: FileRetention,
  nowMs: number,
): Promise<void> {
  if (maxFiles === 0 && maxAgeMs === 0) return;
  const files = await rotatedFiles(directory, instance);
  const newest = files.at(-1)?.number ?? 0;
  let left = new Set(files.map(({ number }) => number)).size;
  let last = 0;
  for (const { number, name } of files) {
    // A file may be there twice while it is compressed.
    if (last > 0 && number !== last) left--;
    const path = join(directory, name);
    const tooMany = maxFiles > 0 && left > maxFiles;
    if (number === newest || (!tooMany && !(maxAgeMs > 0 && (await isOlder(path, nowMs - maxAgeMs))))) return;
    await unlink(path).catch(unlessGone);
    last = number;
  }
}

async function isOlder(path: string, thanMs: number): Promise<boolean> {
  const status = await stat(path).catch(unlessGone);
  return status === undefined || status.mtimeMs < thanMs;
}

/** Another process of the same name, or an operator, may have been faster. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
