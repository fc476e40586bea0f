/**
 * What a line of a log says of its place in its chain, and the hash that ties it
 * there. Decisions are read by the fixed positions in which they are written, and
 * not parsed: whether the text is as it was written, the hash tells. Whatever
 * does not look like that is parsed strictly. Called once a line by the verifier.
 */
import { hash } from 'node:crypto';
import { type LogRecord, numbersAround, parseRecord } from '../record.ts';

export type Kind = 'decision' | NonNullable<LogRecord['type']>;

/** One line, and what it says. The reader fills one object again and again: copy what is kept. */
export interface Line {
  /** The file or stream, and where in it. */
  source: string;
  at: number | string;
  /** Of all lines that were read. */
  ordinal: number;
  bytes: Buffer;
  start: number;
  /** Without the newline. */
  end: number;
  kind: Kind;
  tenant: string;
  instance: string;
  time: string;
  /** Of decisions and changes; else empty and 0. */
  id: string;
  seq: number;
  /** The number that the line before stands at; -1 where the line does not tell. */
  before: number;
  /** The number that the chain stands at after this line; -1 where the line does not tell. */
  after: number;
  /** Undefined in logs that are not chained. */
  hash: string | undefined;
  /** Undefined where the line was read by positions. */
  record: LogRecord | undefined;
}

/** `,"hash":"<43>"}` */
const tailBytes = 54;
const hashKey = ',"hash":"';
const idEnd = 33;
const instanceKey = '","instance":"';
const seqKey = '","seq":';
const timeKey = ',"time":"';
const tenantKey = '","tenant":"';
const timeLength = 24;

/** Where the names are this far in, which is most of a line, it is parsed. */
const headBytes = 320;
/** How many different names are remembered at most. */
const maxNames = 10_000;

export class LineReader {
  readonly line: Line = {
    source: '',
    at: 0,
    ordinal: 0,
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    kind: 'decision',
    tenant: '',
    instance: '',
    time: '',
    id: '',
    seq: 0,
    before: -1,
    after: -1,
    hash: undefined,
    record: undefined,
  };
  /** Names by how they stand in the line, one character for each byte. */
  readonly #names = new Map<string, string>();

  /**
   * Reads a line into `line`; its place is set by the caller.
   * @throws PosternError STORE_CORRUPT where it is no record
   */
  read(bytes: Buffer, start: number, end: number): void {
    const { line } = this;
    line.bytes = bytes;
    line.start = start;
    line.end = end;
    if (!this.#readByPosition()) this.parse();
  }

  /**
   * Parses the line that was read, which may have been read by positions.
   * @throws PosternError STORE_CORRUPT where it is no record
   */
  parse(): LogRecord {
    const { line } = this;
    const record = parseRecord(line.bytes.toString('utf8', line.start, line.end));
    line.record = record;
    line.kind = record.type ?? 'decision';
    line.tenant = record.tenant;
    line.instance = record.instance;
    line.time = record.time;
    line.id = 'id' in record ? record.id : '';
    line.seq = 'seq' in record ? record.seq : 0;
    const { before, after } = numbersAround(record);
    line.before = before;
    line.after = after;
    // A hash that is not the last of the line is none.
    line.hash = record.hash === undefined ? undefined : readHash(line);
    return record;
  }

  #readByPosition(): boolean {
    const { line } = this;
    const { bytes, start, end } = line;
    const head = bytes.toString('latin1', start, Math.min(end, start + headBytes));
    if (!head.startsWith('{"id":"') || !head.startsWith(instanceKey, idEnd)) return false;
    const instanceStart = idEnd + instanceKey.length;
    const instanceEnd = head.indexOf('"', instanceStart);
    if (instanceEnd < 0 || !head.startsWith(seqKey, instanceEnd)) return false;
    let at = instanceEnd + seqKey.length;
    let seq = 0;
    for (let digit = head.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = head.charCodeAt(++at) - 48) {
      seq = seq * 10 + digit;
    }
    if (seq < 1 || seq > Number.MAX_SAFE_INTEGER || !head.startsWith(timeKey, at)) return false;
    const timeStart = at + timeKey.length;
    const tenantStart = timeStart + timeLength + tenantKey.length;
    const tenantEnd = head.indexOf('"', tenantStart);
    if (tenantEnd < 0 || !head.startsWith(tenantKey, timeStart + timeLength)) return false;
    const hash = readHash(line);
    const instance = this.#nameOf(head.slice(instanceStart, instanceEnd));
    const tenant = this.#nameOf(head.slice(tenantStart, tenantEnd));
    if (hash === undefined || instance === '' || tenant === '') return false;
    line.kind = 'decision';
    line.tenant = tenant;
    line.instance = instance;
    line.time = head.slice(timeStart, timeStart + timeLength);
    line.id = head.slice('{"id":"'.length, idEnd);
    line.seq = seq;
    line.before = seq - 1;
    line.after = seq;
    line.hash = hash;
    line.record = undefined;
    return true;
  }

  /** Empty where it has to be parsed to be known. */
  #nameOf(written: string): string {
    const known = this.#names.get(written);
    if (known !== undefined) return known;
    const name = written.includes('\\') ? '' : Buffer.from(written, 'latin1').toString();
    if (this.#names.size >= maxNames) this.#names.clear();
    this.#names.set(written, name);
    return name;
  }
}

/** The hash that the line ends with, if it does. */
function readHash({ bytes, start, end }: Line): string | undefined {
  if (end - start < tailBytes) return undefined;
  const tail = bytes.toString('latin1', end - tailBytes, end);
  return tail.startsWith(hashKey) && tail.endsWith('"}') ? tail.slice(hashKey.length, -2) : undefined;
}

let scratch = Buffer.allocUnsafe(64 * 1024);

/** The hash of a chained line where `previous` is the hash of the line before, or empty for the first. */
export function hashOfLine(previous: string, bytes: Buffer, start: number, end: number): string {
  return hashOfBody(previous, bytes, start, end - tailBytes);
}

/** The same, with the end of what is hashed. */
export function hashOfBody(previous: string, bytes: Buffer, start: number, end: number): string {
  const length = previous.length + end - start;
  if (length > scratch.length) scratch = Buffer.allocUnsafe(2 * length);
  scratch.write(previous, 0, 'latin1');
  bytes.copy(scratch, previous.length, start, end);
  return hash('sha256', scratch.subarray(0, length), 'base64url');
}

export function whereOf({ source, at }: Pick<Line, 'source' | 'at'>): string {
  return `${source}:${at}`;
}

/** What is hashed of a line, as a copy that may be kept. */
export function copyBody({ bytes, start, end }: Line): Buffer {
  return Buffer.from(bytes.subarray(start, end - tailBytes));
}
