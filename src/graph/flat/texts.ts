/** Texts of JSON of a flat graph, one after another: what few nodes and bindings have, and is not read to decide. */
import { textOfBytes } from '../../model/utf8.ts';

export interface TextArrays {
  /** UTF-8. */
  readonly bytes: Uint8Array;
  /** By text: where it ends. */
  readonly ends: Int32Array;
}

export function textAt({ bytes, ends }: TextArrays, index: number): string {
  return textOfBytes(bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index]));
}
