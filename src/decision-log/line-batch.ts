/**
 * A batch that is bytes, as the log has them: a sink that writes bytes takes them as they are, one that sends texts
 * makes texts of them. Used by the delivery.
 */
import { type Batch, maxPartRecords } from './sink.ts';

const newline = 0x0a;
const quote = 0x22;
/** What a line begins with that has a number, a decision or a change, and no other: `{"id` and `{"type":"change"`. */
const idByte = 'i'.charCodeAt(0);
const changeStart = Buffer.from('{"type":"change"');

export class LineBatch implements Batch {
  readonly tenant: string;
  readonly bytes: Buffer;
  readonly records: number;
  /** Lines among them that have numbers. */
  readonly decisions: number;
  /** Where each part ends. */
  readonly #ends: readonly number[];
  #parts: readonly string[] | undefined;

  /** @param bytes Whole lines. */
  constructor(tenant: string, bytes: Buffer) {
    const ends: number[] = [];
    let records = 0;
    let decisions = 0;
    for (let at = 0; at < bytes.length; ) {
      if (hasNumber(bytes, at)) decisions++;
      at = bytes.indexOf(newline, at) + 1;
      records++;
      if (records % maxPartRecords === 0 || at === bytes.length) ends.push(at);
    }
    this.tenant = tenant;
    this.bytes = bytes;
    this.records = records;
    this.decisions = decisions;
    this.#ends = ends;
  }

  get parts(): readonly string[] {
    this.#parts ??= this.#ends.map((end, i) => this.bytes.toString('utf8', i === 0 ? 0 : this.#ends[i - 1], end));
    return this.#parts;
  }

  /** Each line, ended by a newline. */
  lines(): string[] {
    return this.bytes.toString('utf8').match(/[^\n]*\n/g) ?? [];
  }
}

/** Whether the line that begins there is a decision or a change. */
function hasNumber(bytes: Buffer, at: number): boolean {
  if (bytes[at + 1] !== quote) return false;
  return (
    bytes[at + 2] === idByte || bytes.compare(changeStart, 0, changeStart.length, at, at + changeStart.length) === 0
  );
}
