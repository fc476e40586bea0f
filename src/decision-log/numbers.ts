/**
 * The numbers of the records that a reader has read, by instance: how many are missing behind a place where others were
 * taken away. Made by read-stream.ts, one for each reader.
 */

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
        const [, instance, seq] = /^\{"id":"[^"]*","instance":"([^"\\]*)","seq":([0-9]+),/.exec(record) ?? [];
        if (instance === undefined) continue;
        const last = lastOf.get(instance);
        if (isCut && last !== undefined && !seen.has(instance)) {
          missing += Math.max(0, Number(seq) - last - 1);
          isKnown = true;
        }
        seen.add(instance);
        lastOf.delete(instance);
        lastOf.set(instance, Math.max(Number(seq), last ?? 0));
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
