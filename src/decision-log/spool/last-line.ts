/** What the last lines of a spool say of the chain: its last number, and whether it was ended in order. */

export interface LastLine {
  readonly lastSeq: number;
  /** Whether it is the end of a process. */
  readonly isStop: boolean;
}

/** The last line that tells a number; undefined where none does. @param lines The last one first, with or without the newlines that end them. */
export function lastOf(lines: Iterable<string>): LastLine | undefined {
  for (const line of lines) {
    const lastSeq = numberIn(line);
    if (lastSeq !== undefined) return { lastSeq, isStop: line.startsWith('{"type":"stop"') };
  }
  return undefined;
}

/** The last number that a line accounts for; undefined for a gap that was told late, and for what is no line of ours. */
export function numberIn(line: string): number | undefined {
  let record: { type?: string; seq?: unknown; last?: unknown; next?: unknown; cause?: string };
  try {
    record = JSON.parse(line) as typeof record;
  } catch {
    return undefined;
  }
  if (record.cause === 'refused') return undefined;
  const number = record.type === 'start' ? Number(record.next) - 1 : (record.seq ?? record.last);
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}
