/**
 * Writes the protobuf wire format into one buffer that is used again and again.
 * What `finish` returns is valid until the next message is begun: it must be
 * copied or sent before control is given up (grpc-js copies it at once).
 */

const initialBytes = 64 * 1024;
/** A buffer that one large answer made larger than this is not kept. */
const keptBytes = 4 * 1024 * 1024;

export class Writer {
  private bytes = Buffer.allocUnsafeSlow(initialBytes);
  private pos = 0;

  /** Begins a message. */
  begin(): this {
    if (this.bytes.length > keptBytes) this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.pos = 0;
    return this;
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.pos);
  }

  /** Makes room; every other method but `string` expects that it is there. */
  reserve(count: number): void {
    if (this.pos + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.pos + count));
    this.bytes.copy(grown, 0, 0, this.pos);
    this.bytes = grown;
  }

  byte(value: number): void {
    this.bytes[this.pos++] = value;
  }

  /** A number below 2^31. */
  varint(value: number): void {
    while (value > 0x7f) {
      this.bytes[this.pos++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.bytes[this.pos++] = value;
  }

  /** A number of 64 bits, given as two unsigned halves. */
  varint64(low: number, high: number): void {
    while (high !== 0 || low > 0x7f) {
      this.bytes[this.pos++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.bytes[this.pos++] = low;
  }

  /** A string field with its tag, also when empty; makes room itself. */
  string(fieldTag: number, text: string): void {
    this.reserve(text.length * 3 + 6);
    this.bytes[this.pos++] = fieldTag;
    const start = this.open(text.length);
    this.pos += this.bytes.write(text, this.pos, text.length * 3, 'utf8');
    this.close(start, text.length);
  }

  /** A field whose content is encoded already, with its tag; makes room itself. */
  raw(fieldTag: number, content: Uint8Array): void {
    this.reserve(content.length + 6);
    this.bytes[this.pos++] = fieldTag;
    this.varint(content.length);
    this.bytes.set(content, this.pos);
    this.pos += content.length;
  }

  /** A string field with its tag, unless empty: what proto3 does with a singular field. */
  optionalString(fieldTag: number, text: string): void {
    if (text !== '') this.string(fieldTag, text);
  }

  /** Leaves room for a length that is expected to take as many bytes as `guess` does; returns where the content begins. */
  open(guess: number): number {
    this.pos += varintSize(guess);
    return this.pos;
  }

  /** Writes the length of what was written since `open`, moving it where the guess was wrong. Room for 4 more bytes must be there. */
  close(start: number, guess: number): void {
    const length = this.pos - start;
    const expected = varintSize(guess);
    const size = varintSize(length);
    if (size !== expected) this.bytes.copyWithin(start + size - expected, start, this.pos);
    this.pos = start - expected;
    this.varint(length);
    this.pos += length;
  }
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}
