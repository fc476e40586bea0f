/**
 * Writes linked lines into one piece of memory that is used again and again: a line that goes through texts is copied
 * four times on its way to a file, and each copy is garbage. Used by the linker, one batch at a time.
 */
import { hash } from 'node:crypto';

/** Between the text of a line and its hash. */
export const hashKey = ',"hash":"';
export const lineEnd = '"}\n';
/** SHA-256 in base64url. */
export const hashLength = 43;

/** A batch that was larger than this leaves its memory to the collector. */
const keptBytes = 512 * 1024;
/** What stands around the text of a line. */
const aroundBytes = 2 * hashLength + hashKey.length + lineEnd.length;
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const bytesPerUnit = 3;

export class LineWriter {
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** Begins a batch: what take() gave before is written over. */
  begin(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.alloc(0);
  }

  /**
   * Writes a line of its text, and its hash: that of the hash before it, followed by the text.
   * @param body The line's JSON without the brace that ends it.
   * @returns The hash.
   */
  write(previousHash: string, body: string): string {
    this.#reserve(body.length * bytesPerUnit + aroundBytes);
    const bytes = this.#bytes;
    const start = this.#length;
    // Both must stand side by side to be hashed at once; then the text moves to where it belongs.
    const from = start + bytes.write(previousHash, start, 'latin1');
    const end = from + bytes.write(body, from, 'utf8');
    const hashed = hash('sha256', bytes.subarray(start, end), 'base64url');
    bytes.copyWithin(start, from, end);
    const at = start + end - from;
    this.#length = at + bytes.write(hashKey + hashed + lineEnd, at, 'latin1');
    return hashed;
  }

  /** Leaves what take() gave to whoever may still write it somewhere. */
  leave(): void {
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
  }

  /** The lines of the batch; good until the next one is begun. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length, 4_096));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
