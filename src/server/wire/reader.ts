/**
 * Reads the protobuf wire format out of a request, for the messages whose cost
 * matters. Bytes that are not protobuf end in INVALID_REQUEST, never in a crash
 * and never in half a message. https://protobuf.dev/programming-guides/encoding/
 */
import { isUtf8 } from 'node:buffer';
import { PosternError } from '../../model/errors.ts';

/** Field number and wire type, as they stand in a tag. */
export function tag(field: number, wireType: 0 | 2): number {
  return (field << 3) | wireType;
}

const maxGroupDepth = 100;

export class Reader {
  readonly bytes: Buffer;
  /** Where the next byte is read; a message ends at `end`, which its decoder sets. */
  pos = 0;
  end: number;
  /** The high 32 bits of the last varint. */
  high = 0;
  /** What is wrong with a value that was read well but means nothing; the first of them. */
  problem: PosternError | undefined = undefined;
  private readonly message: string;

  /** @param message What is being read, for error messages. */
  constructor(bytes: Buffer, message: string) {
    this.bytes = bytes;
    this.end = bytes.length;
    this.message = message;
  }

  /** The low 32 bits of a varint, as an unsigned number; the others are left in `high`. */
  varint(): number {
    const { bytes, end } = this;
    if (this.pos >= end) throw this.malformed('it ends inside a number');
    let byte = bytes[this.pos++]!;
    this.high = 0;
    if (byte < 0x80) return byte;
    let low = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      if (this.pos >= end) throw this.malformed('it ends inside a number');
      byte = bytes[this.pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        this.high = bits >>> 4;
      } else this.high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.high >>>= 0;
        return low >>> 0;
      }
    }
    throw this.malformed('a number is longer than 10 bytes');
  }

  /** An enum's number; the type is open, so it may be one that nobody knows. */
  enumeration(): number {
    return this.varint() | 0;
  }

  /** The position behind a length-delimited field that begins here. */
  delimited(): number {
    const length = this.varint();
    const end = this.pos + length;
    if (end > this.end || this.high !== 0) throw this.malformed('a field is longer than what is left');
    return end;
  }

  string(): string {
    const end = this.delimited();
    const start = this.pos;
    this.pos = end;
    // 55 ns natively, also for the shortest; a loop over the bytes costs three times as much.
    const text = this.bytes.toString('utf8', start, end);
    // The decoder puts U+FFFD for what is not UTF-8; a text may also hold a real one.
    if (text.includes('\ufffd') && !isUtf8(this.bytes.subarray(start, end))) {
      this.pos = start;
      throw this.malformed('a string is not UTF-8');
    }
    return text;
  }

  /** The bytes of an embedded message; valid as long as the request. */
  embedded(): Uint8Array {
    const end = this.delimited();
    const start = this.pos;
    this.pos = end;
    return this.bytes.subarray(start, end);
  }

  /** Passes over a field that this message does not have, or has with another type. */
  skip(fieldTag: number, depth = 0): void {
    switch (fieldTag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.pos = this.delimited();
        return;
      case 3:
        this.skipGroup(fieldTag >>> 3, depth + 1);
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw this.malformed('a field has a wire type that does not exist');
    }
  }

  /** The next tag. */
  tag(): number {
    const value = this.varint();
    if (value >>> 3 === 0 || this.high !== 0) throw this.malformed('a field has no legal number');
    return value;
  }

  malformed(why: string): PosternError {
    return new PosternError(
      'INVALID_REQUEST',
      `the request is not a ${this.message}: ${why}, at byte ${this.pos}; encode it with the published proto`,
    );
  }

  private advance(count: number): void {
    if (this.pos + count > this.end) throw this.malformed('it ends inside a field');
    this.pos += count;
  }

  private skipGroup(field: number, depth: number): void {
    if (depth > maxGroupDepth) throw this.malformed('groups are nested too deep');
    for (;;) {
      const inner = this.tag();
      if ((inner & 7) !== 4) this.skip(inner, depth);
      else if (inner >>> 3 === field) return;
      else throw this.malformed('a group ends that did not begin');
    }
  }
}
