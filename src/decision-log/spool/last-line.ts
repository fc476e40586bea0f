/** What the last lines of a spool say of the chain: its last number, and whether it was ended in order. */

export interface LastLine {
  readonly lastSeq: number;
  /** Whether the very last line is the end of a process. */
  readonly isStop: boolean;
}

/** Undefined where no line tells a number. @param lines With or without the newlines that end them. */
export function lastOf(lines: readonly string[]): LastLine | undefined {
  const isStop = lines.at(-1)?.startsWith('{"type":"stop"') === true;
  for (let i = lines.length - 1; i >= 0; i--) {
    const lastSeq = numberIn(lines[i] as string);
    if (lastSeq !== undefined) return { lastSeq, isStop };
  }
  return undefined;
}

/** The last number that a line accounts for; undefined for a gap that was told late, and for what is no line of ours. */
function numberIn(line: string): number | undefined {
  let record: { type?: string; seq?: number; last?: number; next?: number; cause?: string };
  try {
    record = JSON.parse(line) as typeof record;
  } catch {
    return undefined;
  }
  if (record.cause === 'refused') return undefined;
  if (record.type === 'start') return (record.next as number) - 1;
  return record.seq ?? record.last;
}
