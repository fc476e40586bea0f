/**
 * The files of a decision log on disk: which there are, in which order, and
 * their lines. Used by read-files only. A file is known by its inode, so that
 * it stays the same file when it is renamed by a rotation.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** One file, and how far it was read. */
export interface LogFile {
  path: string;
  /** What one instance writes for one tenant: files of a series follow each other. */
  readonly series: string;
  /** Place in the series; the current file is the last. */
  order: number;
  /** Bytes read, up to the end of the last whole line. */
  offset: number;
  /** Within a line that was reported as too long: what comes up to its end belongs to it. */
  overlong: boolean;
}

export interface Line {
  readonly text: string;
  readonly where: string;
}

const namePattern = /^(?<base>.+?)(?:\.(?<number>[0-9]{6,}))?\.ndjson$/;
const chunkBytes = 256 * 1024;
/** A line longer than this is no record. */
const maxLineBytes = 1024 * 1024;
const newline = 0x0a;

/**
 * Finds the files of a path: those in a directory and its directories, or one
 * file with those that it was rotated to. Known files keep their state.
 */
export async function findLogFiles(path: string, known: Map<string, LogFile>): Promise<readonly LogFile[]> {
  const found: LogFile[] = [];
  for (const candidate of await listFiles(path)) {
    const match = namePattern.exec(basename(candidate));
    const status = await stat(candidate).catch(() => undefined); // It may have been renamed since it was listed.
    if (status === undefined || !status.isFile()) continue;
    const key = `${status.dev}:${status.ino}`;
    const series = join(dirname(candidate), match?.groups?.base ?? basename(candidate));
    const order = match?.groups?.number === undefined ? Number.POSITIVE_INFINITY : Number(match.groups.number);
    const file = known.get(key) ?? { path: candidate, series, order, offset: 0, overlong: false };
    known.set(key, file);
    file.path = candidate;
    file.order = order;
    found.push(file);
  }
  return found.sort((a, b) => (a.series === b.series ? compare(a.order, b.order) : compare(a.series, b.series)));
}

/** The whole lines that were not read yet; a line without its end is left for later. */
export async function* readLines(file: LogFile): AsyncGenerator<Line> {
  const handle = await open(file.path, 'r');
  try {
    let rest = Buffer.alloc(0);
    let at = file.offset;
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      let bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
        const where = `${file.path}:${file.offset}`;
        const text = file.overlong ? '' : bytes.toString('utf8', 0, end);
        file.overlong = false;
        file.offset += end + 1;
        bytes = bytes.subarray(end + 1);
        if (text !== '') yield { text, where };
      }
      if (bytes.length > maxLineBytes) {
        const line = { text: bytes.toString('utf8', 0, 100), where: `${file.path}:${file.offset}` };
        const isFirst = !file.overlong;
        file.overlong = true;
        file.offset += bytes.length;
        bytes = Buffer.alloc(0);
        if (isFirst) yield line;
      }
      rest = bytes;
    }
  } finally {
    await handle.close();
  }
}

async function listFiles(path: string): Promise<string[]> {
  const status = await stat(path);
  if (!status.isDirectory()) return siblingsOf(path);
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ndjson'))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function siblingsOf(path: string): Promise<string[]> {
  const base = namePattern.exec(basename(path))?.groups?.base;
  if (base === undefined) return [path];
  const names = await readdir(dirname(path));
  return names.filter((name) => namePattern.exec(name)?.groups?.base === base).map((name) => join(dirname(path), name));
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
