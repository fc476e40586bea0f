/**
 * The files of a decision log on disk: which there are, in which order, and
 * their lines, as bytes and as text; compressed ones, too. Used by read-files and
 * verify/. A file is known by its inode, so that it stays the same file when it
 * is renamed by a rotation.
 */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** One file, and how far it was read. */
export interface LogFile {
  path: string;
  /** Device and inode. */
  readonly id: string;
  /** What one instance writes for one tenant: files of a series follow each other. */
  readonly series: string;
  /** Place in the series; the current file is the last. */
  order: number;
  /** On disk, when it was found. */
  bytes: number;
  /** When it was last written to, in milliseconds since 1970. */
  modifiedMs: number;
  /** Bytes read, up to the end of the last whole line; of what a compressed file holds. */
  offset: number;
  /** Whether nothing was read of it yet: it was renamed since it was found, or removed. */
  isMissed: boolean;
  /** Bytes behind that, which end in no newline yet; as of the last reading. */
  unfinished: number;
  /** Within a line that was reported as too long: what comes up to its end belongs to it. */
  overlong: boolean;
}

export interface Line {
  readonly text: string;
  readonly where: string;
}

/** Whole lines, each with its newline; or the beginning of one that is too long to be a record. */
export interface Chunk {
  readonly bytes: Buffer;
  /** In the file. */
  readonly offset: number;
  readonly isOverlong: boolean;
}

const namePattern = /^(?<base>.+?)(?:\.(?<number>[0-9]{6,}))?\.ndjson(?:\.gz)?$/;
const compressedEnd = '.gz';
const chunkBytes = 256 * 1024;
/** A line longer than this is no record. */
const maxLineBytes = 1024 * 1024;
/** How much of such a line is shown. */
const shownBytes = 100;
const newline = 0x0a;
const none = Buffer.alloc(0);

/**
 * Finds the files of a path: those in a directory and its directories, or one
 * file with those that it was rotated to. Known files keep their state.
 */
export async function findLogFiles(path: string, known: Map<string, LogFile>): Promise<readonly LogFile[]> {
  const found: LogFile[] = [];
  const listed = await listFiles(path);
  const names = new Set(listed);
  for (const candidate of listed) {
    // Being compressed: it is whole when the other one is gone.
    if (isCompressed(candidate) && names.has(candidate.slice(0, -compressedEnd.length))) continue;
    const match = namePattern.exec(basename(candidate));
    const status = await stat(candidate).catch(() => undefined); // It may have been renamed since it was listed.
    if (status === undefined || !status.isFile()) continue;
    const key = `${status.dev}:${status.ino}`;
    const series = join(dirname(candidate), match?.groups?.base ?? basename(candidate));
    const order = match?.groups?.number === undefined ? Number.POSITIVE_INFINITY : Number(match.groups.number);
    const same = known.get(key);
    const file = isSame(same, series, order) ? same : newFile(candidate, key, series, order, known);
    known.set(key, file);
    file.path = candidate;
    file.order = order;
    file.bytes = status.size;
    file.modifiedMs = status.mtimeMs;
    found.push(file);
  }
  return found.sort((a, b) => (a.series === b.series ? compare(a.order, b.order) : compare(a.series, b.series)));
}

/** A file keeps the number that it was rotated to; under another one it is a new file, with the inode of one that was removed. */
function isSame(file: LogFile | undefined, series: string, order: number): file is LogFile {
  if (file === undefined || file.series !== series) return false;
  return file.order === order || file.order === Number.POSITIVE_INFINITY;
}

function newFile(path: string, id: string, series: string, order: number, known: Map<string, LogFile>): LogFile {
  const read = isCompressed(path) && order < Number.POSITIVE_INFINITY ? findRead(known, series, order) : undefined;
  return {
    path,
    id,
    series,
    order,
    bytes: 0,
    modifiedMs: 0,
    offset: read?.offset ?? 0,
    isMissed: read === undefined,
    unfinished: 0,
    overlong: false,
  };
}

/** The file that was compressed since, where all of it was read. */
function findRead(known: Map<string, LogFile>, series: string, order: number): LogFile | undefined {
  for (const file of known.values()) {
    if (file.order === order && file.series === series && file.offset > 0 && file.offset >= file.bytes) return file;
  }
  return undefined;
}

export function isCompressed(path: string): boolean {
  return path.endsWith(compressedEnd);
}

/** The whole lines that were not read yet; a line without its end is left for later. */
export async function* readLines(file: LogFile): AsyncGenerator<Line> {
  for await (const { bytes, offset, isOverlong } of readChunks(file)) {
    if (isOverlong) yield { text: bytes.toString(), where: `${file.path}:${offset}` };
    let begin = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
      if (end > begin) yield { text: bytes.toString('utf8', begin, end), where: `${file.path}:${offset + begin}` };
      begin = end + 1;
    }
  }
}

/**
 * The same as bytes, many lines at once.
 * @param onRead Told how many bytes were read from the disk.
 */
export async function* readChunks(file: LogFile, onRead?: (bytes: number) => void): AsyncGenerator<Chunk> {
  let rest: Buffer = none;
  for await (const fresh of isCompressed(file.path) ? inflate(file, onRead) : readOn(file, onRead)) {
    const bytes = rest.length === 0 ? fresh : Buffer.concat([rest, fresh]);
    let begin = 0;
    if (file.overlong) {
      const end = bytes.indexOf(newline);
      file.overlong = end < 0;
      begin = end < 0 ? bytes.length : end + 1;
      file.offset += begin;
    }
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > begin) {
      const { offset } = file;
      file.offset += end - begin;
      yield { bytes: bytes.subarray(begin, end), offset, isOverlong: false };
      begin = end;
    }
    rest = bytes.subarray(begin);
    if (rest.length > maxLineBytes) {
      const { offset } = file;
      file.overlong = true;
      file.offset += rest.length;
      yield { bytes: rest.subarray(0, shownBytes), offset, isOverlong: true };
      rest = none;
    }
    file.unfinished = rest.length;
  }
}

async function* readOn(file: LogFile, onRead: ((bytes: number) => void) | undefined): AsyncGenerator<Buffer> {
  const handle = await open(file.path, 'r').catch(unlessGone);
  if (handle === undefined) return;
  try {
    const { dev, ino } = await handle.stat();
    // It was renamed since it was found; who looks again finds it under its new name.
    if (`${dev}:${ino}` !== file.id) return;
    file.isMissed = false;
    let at = file.offset;
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      onRead?.(bytesRead);
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** In the moment of a rotation there is nothing under its old name. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

/** A compressed file is whole: nobody appends to it, and it is read once. */
async function* inflate(file: LogFile, onRead: ((bytes: number) => void) | undefined): AsyncGenerator<Buffer> {
  if (file.offset > 0) return;
  file.isMissed = false;
  const packed = createReadStream(file.path);
  let told = 0;
  // What fails on either side is thrown where the result is read.
  for await (const bytes of pipeline(packed, createGunzip(), () => {})) {
    onRead?.(packed.bytesRead - told);
    told = packed.bytesRead;
    yield bytes as Buffer;
  }
}

async function listFiles(path: string): Promise<string[]> {
  const status = await stat(path);
  if (!status.isDirectory()) return siblingsOf(path);
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && namePattern.test(entry.name))
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
