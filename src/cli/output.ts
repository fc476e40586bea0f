/**
 * What commands print: results on stdout, notes on stderr, so that a pipe holds
 * results alone. Colours where the stream is a terminal; NO_COLOR takes them away,
 * FORCE_COLOR puts them on. It must never decide an exit code.
 */
import { pipeline } from 'node:stream/promises';
import picocolors from 'picocolors';

export type Colours = ReturnType<typeof picocolors.createColors>;

/** Whether a stream gets ANSI colours. */
export function isColoured(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

export function coloursOf(stream: { readonly isTTY?: boolean }): Colours {
  return picocolors.createColors(isColoured(stream));
}

/** A line of the result. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line for the person at the terminal. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One line of JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Writes what may be large, no faster than it is read. */
export async function printAll(parts: Iterable<string> | AsyncIterable<string>): Promise<void> {
  await pipeline(parts, process.stdout, { end: false });
}

/** A text from elsewhere, which must not be able to move the cursor. */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}

/** "1 change", "2 changes". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
