// A chain of lines, checked in the plainest way: what docs/decision-log.md says, in a loop.
import { createHash } from 'node:crypto';

export interface CheckedChain {
  /** Numbers of decisions, in order, each once. */
  readonly numbers: readonly number[];
  /** Numbers that gap records account for. */
  readonly missing: readonly number[];
  /** Kinds of lines in order, repeats left out; decisions as "decision". */
  readonly kinds: readonly string[];
  readonly repeated: number;
  readonly ids: ReadonlySet<string>;
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** @throws Error at the first line that is not chained to the one before. */
export function checkChain(lines: readonly string[]): CheckedChain {
  const seen = new Set<string>();
  const bridges = new Map<string, string>();
  const parsed = lines.map((line) => ({ line, record: JSON.parse(line) as Record<string, unknown> }));
  for (const { record } of parsed) {
    if (typeof record.from === 'string') bridges.set(record.from, record.through as string);
  }
  const numbers: number[] = [];
  const missing: number[] = [];
  const kinds: string[] = [];
  const ids = new Set<string>();
  const records: Record<string, unknown>[] = [];
  let previous = '';
  let repeated = 0;
  for (const { line, record } of parsed) {
    const hash = record.hash as string;
    if (seen.has(hash)) {
      repeated++;
      continue;
    }
    const body = line.slice(0, line.lastIndexOf(',"hash":"'));
    const hashAfter = (before: string) => createHash('sha256').update(before).update(body).digest('base64url');
    const begins = record.type === 'start' && record.after === 'nothing';
    const expected = begins ? '' : previous;
    if (hashAfter(expected) !== hash && hashAfter(bridges.get(expected) ?? '?') !== hash) {
      throw new Error(`line ${seen.size + repeated} is not chained to the one before: ${line}`);
    }
    seen.add(hash);
    previous = hash;
    records.push(record);
    kinds.push((record.type as string | undefined) ?? 'decision');
    if (record.type === undefined) {
      numbers.push(record.seq as number);
      ids.add(record.id as string);
    }
    if (record.type === 'gap') {
      for (let n = record.first as number; n <= (record.last as number); n++) missing.push(n);
    }
  }
  return { numbers, missing, kinds, repeated, ids, records };
}
