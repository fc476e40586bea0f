/** Text from bytes of UTF-8, the way everything here reads it. Called wherever names and records are kept as bytes. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text, U+FEFF at its beginning included: dropping it, as a decoder does by default, would make two names one. */
export function textOfBytes(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
