/**
 * The files in which one tenant's lines wait for the sink: numbered segments, appended to at one end and read at the
 * other, and a cursor between the two. A segment that the sink has is removed. What a process that died left is found
 * again. It knows lines, not what is in them, but for the number and hash of the last one.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from '../append-file.ts';
import { hashOf } from '../chain/chain.ts';
import { OpenFiles } from '../open-files.ts';
import { atStart, type Cursor, readCursor, writeCursor } from './cursor.ts';
import { lastOf } from './last-line.ts';
import { type Left, resume, type SpoolFile } from './resume.ts';

interface Segment extends SpoolFile {
  readonly path: string;
}

/** Lines that wait, and what to go on with when the sink has them. */
export interface Waiting {
  readonly lines: Buffer;
  /** Of the line before the first. */
  readonly hashBefore: string;
  readonly end: Cursor;
}

/** A segment that has grown over this is followed by another. */
const segmentBytes = 8 * 1024 * 1024;
const readBytes = 256 * 1024;
/** More than a hash and what ends a line. */
const tailBytes = 64;
const namePattern = /^([0-9]{8,})\.ndjson$/;
const cursorName = 'shipped.json';
const newline = 0x0a;

export class TenantSpool {
  readonly #directory: string;
  readonly #files: OpenFiles;
  #segments: Segment[];
  #cursor: Cursor;
  #savedCursor: Cursor;
  /** One after the other: they write one file. */
  #saved: Promise<void> = Promise.resolve();
  /** The last file whose name the disk is known to have. */
  #syncedNumber = 0;
  /** Where the chain stood, how the process before this one ended, and what is not as it left it. */
  readonly left: Left;
  /** What was cut: lines that had not been written to their ends. */
  readonly cutBytes: number;

  private constructor(directory: string, files: OpenFiles, segments: Segment[], left: Left) {
    this.#directory = directory;
    this.#files = files;
    this.#segments = segments;
    this.#cursor = left.start;
    this.#savedCursor = left.start;
    this.left = left;
    this.cutBytes = segments.reduce((sum, { file }) => sum + file.cutBytes, 0);
  }

  /** Opens what is there, or begins. @param files Shared with other spools. @throws what the file system throws */
  static async open(directory: string, files = new OpenFiles()): Promise<TenantSpool> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const cursor = await files.during(() => readCursor(join(directory, cursorName)));
    const numbers = (await readdir(directory)).map((name) => Number(namePattern.exec(name)?.[1] ?? 0));
    const segments: Segment[] = [];
    try {
      for (const number of numbers.filter((one) => one > 0).sort((a, b) => a - b)) {
        const path = join(directory, nameOf(number));
        segments.push({ number, path, file: await AppendFile.open(path, files) });
      }
      const spool = new TenantSpool(directory, files, segments, await resume(segments, cursor));
      // What is there can be written over, however full the disk is when that is needed.
      if (cursor === atStart) await spool.#write(atStart);
      // Their removal was not the last thing that happened.
      await spool.#removeBefore(spool.left.start.segment);
      return spool;
    } catch (error) {
      for (const { file } of segments) await file.close().catch(() => {});
      throw error;
    }
  }

  /** Bytes that the sink does not have yet; 0 exactly where read() finds none. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += Math.max(0, segment.file.size - this.#startIn(segment));
    return bytes;
  }

  /** @throws what the file system throws; then nothing of it was written */
  async append(lines: Buffer): Promise<void> {
    await (await this.#writable()).file.append(lines);
  }

  /** Makes sure that there is a file that appendNow() can write to. @throws what the file system throws */
  async prepare(): Promise<void> {
    await this.#writable();
  }

  /** Whether the file that is appended to should be followed by another: prepare() begins it. */
  get isLong(): boolean {
    const last = this.#segments.at(-1);
    return last !== undefined && last.file.size >= segmentBytes;
  }

  /**
   * The same as append() within this turn; false where there is no file yet.
   * @throws what the file system throws; then nothing of it was written
   */
  appendNow(lines: Buffer): boolean {
    const last = this.#segments.at(-1);
    if (last === undefined) return false;
    last.file.appendNow(lines);
    return true;
  }

  /** Waits, within this turn, until the disk has what appendNow() wrote. @throws what the file system throws */
  syncNow(): void {
    this.#segments.at(-1)?.file.syncNow();
  }

  /** Waits until the disk has what was appended, and the name of the file that it is in. */
  async sync(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) return;
    await last.file.sync();
    if (last.number === this.#syncedNumber) return;
    await this.#files.during(async () => {
      const handle = await open(this.#directory);
      await handle.sync().finally(() => handle.close());
    });
    this.#syncedNumber = last.number;
  }

  /** The next lines for the sink; undefined where none waits. */
  async read(): Promise<Waiting | undefined> {
    const at = this.#segments.find((segment) => segment.file.size > this.#startIn(segment));
    if (at === undefined) return undefined;
    const { chain } = this.#cursor;
    const from = this.#startIn(at);
    const bytes = await readLines(at.file, from);
    const told = lastOf(linesFromEnd(bytes));
    const end: Cursor = {
      segment: at.number,
      offset: from + bytes.length,
      chain: {
        lastSeq: told?.lastSeq ?? chain.lastSeq,
        hash: hashOf(bytes.toString('utf8', bytes.length - tailBytes)),
      },
    };
    return { lines: bytes, hashBefore: chain.hash, end };
  }

  /** The sink has everything up to here. Segments before it are removed when that is known on disk. */
  advance(end: Cursor): void {
    this.#cursor = end;
  }

  /**
   * Gives back to the disk what the sink has of the file that is appended to; not to be called beside append().
   * @throws what the file system throws
   */
  async trim(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined || last.file.size === 0 || this.waitingBytes > 0) return;
    const { number } = await this.#begin(last.number + 1);
    this.#cursor = { ...this.#cursor, segment: number, offset: 0 };
    await this.save();
  }

  /** Notes on disk how far it is now, and removes what the sink has. @throws what the file system throws */
  save(): Promise<void> {
    const cursor = this.#cursor;
    const saved = this.#saved.then(() => this.#save(cursor));
    this.#saved = saved.catch(() => {});
    return saved;
  }

  /** @param isTold Whether it may be noted how far the sink is. */
  async close(isTold: boolean): Promise<void> {
    try {
      if (isTold) await this.save();
    } finally {
      for (const { file } of this.#segments) await file.close();
    }
  }

  /** How much of a segment the sink has. */
  #startIn({ number, file }: Segment): number {
    const { segment, offset } = this.#cursor;
    if (number === segment) return offset;
    return number < segment ? file.size : 0;
  }

  async #save(cursor: Cursor): Promise<void> {
    if (cursor === this.#savedCursor) return;
    await this.#write(cursor);
    this.#savedCursor = cursor;
    await this.#removeBefore(cursor.segment);
  }

  #write(cursor: Cursor): Promise<void> {
    return this.#files.during(() => writeCursor(join(this.#directory, cursorName), cursor));
  }

  async #writable(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.file.size < segmentBytes) return last;
    return this.#begin(Math.max(last?.number ?? 0, this.#cursor.segment) + 1);
  }

  async #begin(number: number): Promise<Segment> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, nameOf(number));
    const next = { number, path, file: await AppendFile.open(path, this.#files) };
    this.#segments.push(next);
    return next;
  }

  async #removeBefore(first: number): Promise<void> {
    for (const segment of this.#segments.filter(({ number }) => number < first)) {
      // First: what cannot be removed stays, and is tried again with the next.
      await rm(segment.path, { force: true });
      this.#segments = this.#segments.filter((one) => one !== segment);
      await segment.file.close();
    }
  }
}

/** Whole lines from a place: some, or one that is longer. */
async function readLines(file: AppendFile, from: number): Promise<Buffer> {
  for (let most = readBytes; ; most *= 4) {
    const bytes = await file.read(from, most);
    const end = bytes.lastIndexOf(newline);
    if (end >= 0) return bytes.subarray(0, end + 1);
    if (bytes.length < most) throw new Error('no line ends where one did: somebody else wrote to the file');
  }
}

function nameOf(number: number): string {
  return `${String(number).padStart(8, '0')}.ndjson`;
}

function* linesFromEnd(bytes: Buffer): Generator<string> {
  for (let end = bytes.length; end > 0; ) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(newline, end - 2) + 1;
    yield bytes.toString('utf8', start, end);
    end = start;
  }
}
