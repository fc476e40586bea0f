/**
 * Opens what `postern tail` follows: files on disk, or the streams of tenants in Redis, as one stream of events. What goes
 * through a sidecar is in tail-sidecar.ts. It must never print a URL: those hold passwords.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { TailEvent } from '../decision-log/query/intake.ts';
import type { Selection } from '../decision-log/query/selection.ts';
import { type TailedTenant, tailLogs } from '../decision-log/query/tail-logs.ts';
import { defaultTenant } from '../model/names.ts';
import type { LogPlace } from './log-options.ts';
import { openStream, sayWhereLogsAre } from './open-log.ts';

/** What is followed, wherever it is. */
export interface Tailing {
  /** `*` alone is every tenant; none is one, or, on disk, all that are there. */
  readonly tenants: readonly string[];
  readonly selection: Selection;
  readonly from: TailedTenant['from'];
  readonly follow: boolean;
}

/** Stands for every tenant. */
export const everyTenant = '*';
/** How often it is looked for tenants that came. */
const lookMs = 5_000;
/** Nothing here waits for a sign of life. */
const settings = { heartbeatMs: 60_000 };

/** @throws PosternError STORE_UNAVAILABLE where nobody waits for the log to begin; INVALID_OPTION */
export async function* tailPlace(
  place: Omit<LogPlace, 'tenant'>,
  tailing: Tailing,
  signal: AbortSignal,
): AsyncGenerator<TailEvent, void> {
  const { redis } = place;
  if (redis === undefined) yield* tailFiles(place.dir, tailing, signal);
  else yield* tailStreams({ ...place, redis }, tailing, signal);
}

async function* tailFiles(dir: string, { tenants, selection, from, follow }: Tailing, signal: AbortSignal) {
  const { readFiles } = await import('../decision-log/read-files.ts');
  const isThere = existsSync(dir);
  if (!isThere) sayWhereLogsAre(dir, follow);
  const source = {
    // It has been said; until there is one, the reader would say it again.
    follow: (_: string, options: Parameters<typeof readFiles>[1]) =>
      readFiles(dir, isThere ? options : { ...options, onProblem: () => {} }),
  };
  const isAll = tenants.length === 0 || tenants.includes(everyTenant);
  const wanted = isAll ? selection : { ...selection, tenant: tenants };
  // One reader for all tenants: their records come in the order of time.
  yield* tailLogs(source, { tenants: [{ name: '', from }], selection: wanted, follow }, settings, signal);
}

async function* tailStreams(
  place: LogPlace & { readonly redis: string },
  { tenants, selection, from, follow }: Tailing,
  signal: AbortSignal,
): AsyncGenerator<TailEvent, void> {
  const { createStreamSource } = await import('../decision-log/query/stream-source.ts');
  const { client, tenants: list, close } = await openStream(place);
  const names = tenants.length === 0 ? [defaultTenant] : tenants;
  const tailed = names.includes(everyTenant)
    ? allTenants(list, from, follow, signal)
    : names.map((name) => ({ name, from }));
  try {
    yield* tailLogs(createStreamSource(client), { tenants: tailed, selection, follow }, settings, signal);
  } finally {
    await close();
  }
}

/** Those that are there, and those that come, of which all is new. */
async function* allTenants(
  list: () => Promise<readonly string[]>,
  from: TailedTenant['from'],
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<TailedTenant, void> {
  const known = new Set<string>();
  let first = true;
  do {
    // A Redis that is away is told of by the readers; without a list there is none of them.
    const names = await list().catch((error: unknown) => {
      if (first) throw error;
      return [];
    });
    for (const name of names) {
      if (known.has(name)) continue;
      known.add(name);
      yield { name, from: first ? from : 'start' };
    }
    first = false;
    if (follow) await delay(lookMs, undefined, { signal }).catch(() => {});
  } while (follow && !signal.aborted);
}
