/**
 * The files in which one tenant's lines wait for the sink: numbered segments, appended to at one end and read at the
 * other, and a cursor between the two. A segment that the sink has is removed. What a process that died left is found
 * again. It knows lines, not what is in them, but for the number and hash of the last one.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from '../append-file.ts';
import { type ChainState, hashOf } from '../chain/chain.ts';
import type { Before } from '../chain/marks.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { lastOf } from './last-line.ts';

interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: AppendFile;
}

/** Lines that wait, and what to go on with when the sink has them. */
export interface Waiting {
  readonly lines: readonly string[];
  /** Of the line before the first. */
  readonly hashBefore: string;
  readonly end: Cursor;
}

/** A segment that has grown over this is followed by another. */
const segmentBytes = 8 * 1024 * 1024;
const readBytes = 256 * 1024;
const namePattern = /^([0-9]{8})\.ndjson$/;
const cursorName = 'shipped.json';
const newline = 0x0a;

export class TenantSpool {
  readonly #directory: string;
  #segments: Segment[];
  #cursor: Cursor;
  #savedCursor: Cursor;
  /** Where the chain stood, and how the process before this one ended. */
  readonly chain: ChainState;
  readonly before: Before;
  /** What was cut: lines that had not been written to their ends. */
  readonly cutBytes: number;

  private constructor(directory: string, segments: Segment[], cursor: Cursor, found: Found) {
    this.#directory = directory;
    this.#segments = segments;
    this.#cursor = cursor;
    this.#savedCursor = cursor;
    this.chain = found.chain;
    this.before = found.before;
    this.cutBytes = found.cutBytes;
  }

  /** Opens what is there, or begins. @throws what the file system throws */
  static async open(directory: string): Promise<TenantSpool> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const cursor = await readCursor(join(directory, cursorName));
    const numbers = (await readdir(directory)).map((name) => Number(namePattern.exec(name)?.[1] ?? 0));
    const segments: Segment[] = [];
    for (const number of numbers.filter((one) => one > 0).sort((a, b) => a - b)) {
      const path = join(directory, nameOf(number));
      // Its removal was not the last thing that happened.
      if (number < cursor.segment) await rm(path, { force: true });
      else segments.push({ number, path, file: await AppendFile.open(path) });
    }
    const found = await findEnd(segments, cursor);
    const first = segments[0];
    // The disk lost what the sink has: it is not there to be brought again.
    const isShort = first !== undefined && first.number === cursor.segment && first.file.size < cursor.offset;
    const start = isShort ? { ...cursor, offset: first.file.size } : cursor;
    return new TenantSpool(directory, segments, start, found);
  }

  /** Bytes that the sink does not have yet. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const { number, file } of this.#segments) {
      if (number > this.#cursor.segment) bytes += file.size;
      else if (number === this.#cursor.segment) bytes += file.size - this.#cursor.offset;
    }
    return bytes;
  }

  /** @throws what the file system throws; then nothing of it was written */
  async append(text: string): Promise<void> {
    await (await this.#writable()).file.append(text);
  }

  /** The same within this turn; false where a file has to be made first. @throws what the file system throws */
  appendNow(text: string): boolean {
    const last = this.#segments.at(-1);
    if (last === undefined || last.file.size >= segmentBytes) return false;
    last.file.appendNow(text);
    return true;
  }

  /** Waits until the disk has what was appended. */
  async sync(): Promise<void> {
    await this.#segments.at(-1)?.file.sync();
  }

  /** The next lines for the sink; undefined where none waits. */
  async read(): Promise<Waiting | undefined> {
    const { segment, offset, chain } = this.#cursor;
    const at = this.#segments.find(
      ({ number, file }) => number > segment || (number === segment && file.size > offset),
    );
    if (at === undefined) return undefined;
    const from = at.number === segment ? offset : 0;
    const bytes = await readLines(at.file, from);
    const lines = bytes.toString('utf8').split('\n');
    lines.pop();
    const whole = lines.map((line) => `${line}\n`);
    const last = whole.at(-1) as string;
    const end: Cursor = {
      segment: at.number,
      offset: from + bytes.length,
      chain: { lastSeq: lastOf(whole)?.lastSeq ?? chain.lastSeq, hash: hashOf(last) },
    };
    return { lines: whole, hashBefore: chain.hash, end };
  }

  /** The sink has everything up to here. Segments before it are removed when that is known on disk. */
  advance(end: Cursor): void {
    this.#cursor = end;
  }

  /** Notes on disk how far it is, and removes what the sink has. @throws what the file system throws */
  async save(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === this.#savedCursor) return;
    await writeCursor(join(this.#directory, cursorName), cursor);
    this.#savedCursor = cursor;
    const over = this.#segments.filter(({ number }) => number < cursor.segment);
    this.#segments = this.#segments.filter(({ number }) => number >= cursor.segment);
    for (const { file, path } of over) {
      await file.close();
      await rm(path, { force: true });
    }
  }

  async close(): Promise<void> {
    await this.save();
    for (const { file } of this.#segments) await file.close();
  }

  async #writable(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.file.size < segmentBytes) return last;
    const number = Math.max(last?.number ?? 0, this.#cursor.segment) + 1;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, nameOf(number));
    const next = { number, path, file: await AppendFile.open(path) };
    this.#segments.push(next);
    return next;
  }
}

interface Found {
  readonly chain: ChainState;
  readonly before: Before;
  readonly cutBytes: number;
}

async function findEnd(segments: readonly Segment[], cursor: Cursor): Promise<Found> {
  const cutBytes = segments.reduce((sum, { file }) => sum + file.cutBytes, 0);
  for (const { file, number } of segments.toReversed()) {
    if (file.size === 0) continue;
    const lines = (await file.read(0, file.size)).toString('utf8').split('\n');
    lines.pop();
    const last = lastOf(lines);
    const hash = hashOf(`${lines.at(-1)}\n`);
    const lastSeq = last?.lastSeq ?? (number >= cursor.segment ? cursor.chain.lastSeq : 0);
    return { chain: { lastSeq, hash }, before: last?.isStop === true ? 'stop' : 'crash', cutBytes };
  }
  // A segment stays until the next one is begun: somebody has removed them.
  return { chain: cursor.chain, before: cursor.chain.hash === '' ? 'nothing' : 'crash', cutBytes };
}

/** Whole lines from a place: some, or one that is longer. */
async function readLines(file: AppendFile, from: number): Promise<Buffer> {
  for (let most = readBytes; ; most *= 4) {
    const bytes = await file.read(from, most);
    const end = bytes.lastIndexOf(newline);
    if (end >= 0) return bytes.subarray(0, end + 1);
  }
}

function nameOf(number: number): string {
  return `${String(number).padStart(8, '0')}.ndjson`;
}
