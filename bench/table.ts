/** The table of docs/benchmark.md: rows that are measured again take the place of what was there, each with its day. */
import { existsSync, readFileSync } from 'node:fs';
import type { Row } from './measure.ts';

/** A row, and the day on which it was measured, with how the machine was. */
export type DatedRow = Row & { readonly on: string };

const head = ['| what | measured | promised | kept | how | on |', '|---|---|---|---|---|---|'];

const yardstick =
  'The yardstick is a fixed piece of work of one processor, timed before each part (bench/yardstick.ts), and the echo server is the same code every time: on another day, on which the machine is faster or slower, compare figures by their ratio to these.';

/**
 * The page with these rows in it.
 * @param path Of the page as it is.
 * @param isWhole Whether these are all rows that there are: others are left out then.
 * @param setting The machine, in a few words.
 */
export function pageWith(path: string, rows: readonly DatedRow[], isWhole: boolean, setting: string): string {
  const lines = new Map(isWhole || !existsSync(path) ? [] : linesOf(readFileSync(path, 'utf8')));
  for (const row of rows) lines.set(row.what, toLine(row));
  return [
    '# Benchmark',
    '',
    `Written by \`npm run bench\`. ${setting}.`,
    '',
    yardstick,
    '',
    ...head,
    ...lines.values(),
    '',
  ].join('\n');
}

export function toLine({ what, measured, atLeast, kept, how, on }: DatedRow): string {
  const verdict = kept === undefined ? '' : kept ? 'yes' : '**no**';
  return `| ${what} | ${measured} | ${atLeast} | ${verdict} | ${how} | ${on} |`;
}

/** The rows of a page, by what they measure. */
function linesOf(page: string): [what: string, line: string][] {
  const lines = page.split('\n').filter((line) => line.startsWith('| ') && line !== head[0]);
  return lines.map((line) => [line.split(' | ', 1)[0]?.slice(2) ?? '', line]);
}
