/**
 * One page of what a tenant's log holds. Oldest first, in the order of the log: that is the order in which chains are
 * verified, and a log grows at its end and is trimmed at its beginning, so a page stays what it was. It keeps nothing
 * between pages, and lets other work run while it looks. Called by administration.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PosternError } from '../../model/errors.ts';
import { timeOfId } from '../ids.ts';
import { createSelect, type FoundLine, type Selection } from './selection.ts';
import type { LogSource, ScanStart } from './source.ts';

export interface LogQuestion {
  readonly tenant: string;
  readonly selection: Selection;
  /** The most to return. */
  readonly size: number;
  /** `next` of the page before, with the same selection; empty for the first page. */
  readonly after: string;
}

export interface LogPage {
  readonly found: readonly FoundLine[];
  /** Where the next page goes on; empty at the end of the log. */
  readonly next: string;
}

/** Most lines that one page looks at: where few match it is short, and the next one goes on. */
export const mostLookedAt = 20_000;
/** Characters of lines after which a page ends, so that it fits into a message. */
const mostChars = 1024 * 1024;
/** A batch whose writing failed half-way is written again: so far back a copy is recognised on the next page. */
const copiesWithin = 5_000;

/** @throws PosternError CANCELLED, and what the source throws */
export async function queryLog(
  source: LogSource,
  { tenant, selection, size, after }: LogQuestion,
  signal?: AbortSignal,
): Promise<LogPage> {
  assertGoesOn(signal);
  const select = createSelect(selection);
  const found: FoundLine[] = [];
  let lines: Set<string> | undefined;
  let looked = 0;
  let chars = 0;
  for await (const batch of source.scan(tenant, startOf(selection, after))) {
    for (const { text, position } of batch) {
      looked++;
      const one = select(text);
      if (one !== undefined) {
        // Most pages that go on find nothing at all; only then is it worth looking back.
        lines ??= new Set(after === '' ? [] : await source.before(tenant, after, copiesWithin));
        if (!lines.has(text)) {
          lines.add(text);
          found.push(one);
          chars += text.length;
        }
      }
      if (found.length === size || looked === mostLookedAt || chars >= mostChars) return { found, next: position };
    }
    await nextTurn();
    assertGoesOn(signal);
  }
  return { found, next: '' };
}

function assertGoesOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new PosternError('CANCELLED', 'the call was cancelled, or its deadline passed');
}

function startOf({ since, id }: Selection, after: string): ScanStart {
  if (after !== '') return { after };
  return { sinceMs: Math.max(since === undefined ? 0 : Date.parse(since), id === undefined ? 0 : timeOfId(id)) };
}
