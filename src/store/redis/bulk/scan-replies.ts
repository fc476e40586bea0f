/**
 * Reads the replies to HSCAN as bytes: a million records go by without a string or a buffer of their own. The client
 * library opens the connection and says who we are; its stream is taken over for this alone, and never given back.
 * Knows RESP as far as these replies use it, and refuses everything else.
 */
import type { Duplex } from 'node:stream';
import type { EntityKind } from '../../../model/entity.ts';
import { PosternError } from '../../../model/errors.ts';

/** One record of a hash, as places in a buffer that is valid until this returns. */
export type OnPair = (
  bytes: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  valueStart: number,
  valueEnd: number,
) => void;

export interface Scan {
  readonly kind: EntityKind;
  readonly key: string;
  readonly onPair: OnPair;
}

/** Records in one reply: some 600 microseconds of Redis. */
const scanCount = 500;
const carriageReturn = 0x0d;
const zero = 0x30;
const arrayMark = 0x2a;
const bulkMark = 0x24;
const errorMark = 0x2d;

/** What of a reply comes next. */
type Awaited = 'reply' | 'cursor' | 'count' | 'pairs';

/** Scans hashes side by side, each once, over one connection. One use. */
export class BulkScan {
  readonly #stream: Duplex;
  readonly #timeoutMs: number;
  readonly #done = Promise.withResolvers<void>();
  /** Scans whose replies are owed, in the order of their requests. */
  readonly #owed: Scan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #awaited: Awaited = 'reply';
  #pairsLeft = 0;

  /**
   * @param stream A connection that owes no reply, and that nobody else reads.
   * @param timeoutMs How long it may be silent while it owes one.
   */
  constructor(stream: Duplex, timeoutMs: number) {
    this.#stream = stream;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws PosternError STORE_UNAVAILABLE; an Error with the words of Redis; what onPair throws */
  async run(scans: readonly Scan[]): Promise<void> {
    const onData = (chunk: Uint8Array) => this.#receive(chunk);
    const onError = (error: Error) => this.#fail(unavailable(error.message));
    const onClose = () => this.#fail(unavailable('the connection was closed'));
    this.#stream.on('data', onData).on('error', onError).on('close', onClose);
    try {
      for (const scan of scans) this.#request(scan, '0');
      this.#watch();
      await this.#done.promise;
    } finally {
      clearTimeout(this.#timer);
      this.#stream.off('data', onData).off('close', onClose);
    }
  }

  #request({ kind, key, onPair }: Scan, cursor: string): void {
    this.#owed.push({ kind, key, onPair });
    const words = ['HSCAN', key, cursor, 'COUNT', String(scanCount)];
    const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.#stream.write(`*${words.length}\r\n${bulks.join('')}`);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#fail(unavailable(`no answer in ${this.#timeoutMs} ms`));
      this.#stream.destroy();
    }, this.#timeoutMs);
  }

  #receive(chunk: Uint8Array): void {
    this.#timer?.refresh();
    this.#bytes = this.#at === this.#bytes.length ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
    try {
      while (this.#step());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes the next part of a reply; false where it has not arrived yet, or there is none. */
  #step(): boolean {
    const scan = this.#owed[0];
    if (scan === undefined) return false;
    switch (this.#awaited) {
      case 'reply':
        return this.#takeLength(arrayMark, 'cursor');
      case 'cursor':
        return this.#takeCursor(scan);
      case 'count':
        return this.#takeLength(arrayMark, 'pairs');
      case 'pairs':
        return this.#takePair(scan);
    }
  }

  #takeCursor(scan: Scan): boolean {
    const start = this.#bulkAt(this.#at);
    if (start < 0) return false;
    const cursor = Buffer.from(this.#bytes.subarray(start, this.#bulkEnd)).toString('latin1');
    this.#at = this.#bulkEnd + 2;
    this.#awaited = 'count';
    // Redis prepares the next reply while this one is read.
    if (cursor !== '0') this.#request(scan, cursor);
    return true;
  }

  #takePair({ onPair }: Scan): boolean {
    if (this.#pairsLeft === 0) {
      this.#owed.shift();
      this.#awaited = 'reply';
      if (this.#owed.length === 0) this.#done.resolve();
      return this.#owed.length > 0;
    }
    const fieldStart = this.#bulkAt(this.#at);
    if (fieldStart < 0) return false;
    const fieldEnd = this.#bulkEnd;
    const valueStart = this.#bulkAt(fieldEnd + 2);
    if (valueStart < 0) return false;
    onPair(this.#bytes, fieldStart, fieldEnd, valueStart, this.#bulkEnd);
    this.#at = this.#bulkEnd + 2;
    this.#pairsLeft--;
    return true;
  }

  /** "*2" before a reply, "*1000" before its pairs. */
  #takeLength(mark: number, next: Awaited): boolean {
    const value = this.#numberAt(this.#at, mark);
    if (value < 0) return false;
    this.#at = this.#lineEnd + 2;
    this.#awaited = next;
    this.#pairsLeft = value / 2;
    return true;
  }

  #bulkEnd = 0;

  /** Where the bulk string at a place begins (its end is in #bulkEnd), or -1 where not all of it is here. */
  #bulkAt(at: number): number {
    const length = this.#numberAt(at, bulkMark);
    if (length < 0) return -1;
    const start = this.#lineEnd + 2;
    this.#bulkEnd = start + length;
    return this.#bulkEnd + 2 <= this.#bytes.length ? start : -1;
  }

  #lineEnd = 0;

  /** The number after a mark, with the end of its line in #lineEnd; -1 where not all of the line is here. */
  #numberAt(at: number, mark: number): number {
    const bytes = this.#bytes;
    if (at >= bytes.length) return -1;
    if (bytes[at] !== mark) return this.#refuse(at);
    let value = 0;
    let i = at + 1;
    for (; i < bytes.length && bytes[i] !== carriageReturn; i++) {
      const digit = (bytes[i] as number) - zero;
      if (digit < 0 || digit > 9) return this.#refuse(at);
      value = value * 10 + digit;
    }
    this.#lineEnd = i;
    return i + 1 < bytes.length ? value : -1;
  }

  #refuse(at: number): number {
    const bytes = this.#bytes;
    const end = bytes.indexOf(carriageReturn, at);
    if (end < 0 && bytes.length - at < 1024) return -1;
    const line = Buffer.from(bytes.subarray(at + 1, end < 0 ? bytes.length : end)).toString();
    const key = this.#owed[0]?.key ?? '';
    if (bytes[at] === errorMark) throw Object.assign(new Error(line), { command: { name: 'hscan', args: [key] } });
    throw unavailable(`the reply to a scan of ${key} is not one`);
  }

  #fail(error: unknown): void {
    this.#done.reject(error);
    this.#owed.length = 0;
  }
}

function unavailable(problem: string): PosternError {
  return new PosternError('STORE_UNAVAILABLE', `cannot load: ${problem}`);
}
