/**
 * The numbers of the records that a reader has read, by instance: how many are missing behind a place where others were
 * taken away. Made by read-stream.ts, one for each reader.
 */
import { type LogRecord, numbersAround, parseRecord } from './record.ts';

export interface Numbers {
  /**
   * Takes the next entries.
   * @param isCut Whether some may have been there between these and those before.
   * @returns How many numbers are missing there at least; undefined where nothing is known to be
   */
  next(entries: readonly { readonly record: string }[], isCut: boolean): number | undefined;
}

/** Instances that are remembered; those that were heard last. */
const mostInstances = 1_000;

export function createNumbers(): Numbers {
  const lastOf = new Map<string, number>();
  return {
    next(entries, isCut) {
      let missing = 0;
      let isKnown = false;
      const seen = new Set<string>();
      for (const { record } of entries) {
        const place = placeOf(record);
        if (place === undefined) continue;
        const { instance, before, after } = place;
        const last = lastOf.get(instance);
        if (isCut && last !== undefined && !seen.has(instance)) {
          missing += Math.max(0, before - last);
          isKnown = true;
        }
        seen.add(instance);
        lastOf.delete(instance);
        lastOf.set(instance, Math.max(after, last ?? 0));
      }
      for (const instance of lastOf.keys()) {
        if (lastOf.size <= mostInstances) break;
        lastOf.delete(instance);
      }
      // Where nobody was heard before and after, nobody can tell that nothing is missing.
      return isCut && (missing > 0 || !isKnown) ? missing : undefined;
    },
  };
}

/** What the chain of an instance stands at before a line and after it; undefined where the line does not tell. */
function placeOf(
  line: string,
): { readonly instance: string; readonly before: number; readonly after: number } | undefined {
  const [, name, seq] = /^\{"id":"[^"]*","instance":"([^"\\]*)","seq":([0-9]+),/.exec(line) ?? [];
  // Most lines, and not worth parsing.
  if (name !== undefined) return { instance: name, before: Number(seq) - 1, after: Number(seq) };
  let record: LogRecord;
  try {
    record = parseRecord(line);
  } catch {
    return undefined;
  }
  const { before, after } = numbersAround(record);
  return before < 0 ? undefined : { instance: record.instance, before, after };
}
