/** Several logs read side by side. Each gives its records in its own order; whichever has the oldest next one goes on. */
import type { ReadRecord } from './filter.ts';

export async function* mergeByTime(
  sources: readonly AsyncGenerator<ReadRecord>[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadRecord> {
  const heads: { next: ReadRecord; readonly source: AsyncGenerator<ReadRecord> }[] = [];
  try {
    for (const source of sources) {
      const first = await source.next();
      if (first.done !== true) heads.push({ next: first.value, source });
    }
    while (heads.length > 0 && signal?.aborted !== true) {
      let oldest = 0;
      for (let i = 1; i < heads.length; i++) if (timeAt(heads, i) < timeAt(heads, oldest)) oldest = i;
      const head = heads[oldest] as (typeof heads)[number];
      yield head.next;
      const following = await head.source.next();
      if (following.done === true) heads.splice(oldest, 1);
      else head.next = following.value;
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}

function timeAt(heads: readonly { readonly next: ReadRecord }[], index: number): string {
  return heads[index]?.next.record.time ?? '';
}
