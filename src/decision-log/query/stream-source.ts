/**
 * The records of all sidecars, from the Redis streams of their tenants. The client is injected; see
 * store/redis/decision-client.ts. Nothing here waits inside of Redis, so that one connection serves every reader.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { entryIdAfter, entryIdBefore, readStream, type StreamClient } from '../read-stream.ts';
import { attempt, type LogSource, noPosition } from './source.ts';

/** Entries in one reply: it is parsed in one turn of the event loop, which answers questions meanwhile. */
const pageEntries = 500;
/** How often a stream that had nothing new is looked at. */
const pollMs = 100;

export function createStreamSource(client: StreamClient): LogSource {
  /** The same without blocking commands. */
  const polling: StreamClient = {
    ...client,
    async read(tenant, after, count, blockMs) {
      const entries = await client.read(tenant, after, Math.min(count, pageEntries), 0);
      if (entries.length === 0 && blockMs > 0) await delay(Math.min(blockMs, pollMs));
      return entries;
    },
  };
  return {
    async *scan(tenant, start) {
      let at = 'after' in start ? checkedId(start.after) : entryIdBefore(start.sinceMs);
      for (;;) {
        const entries = await attempt(tenant, () => client.read(tenant, at, pageEntries, 0));
        if (entries.length === 0) return;
        at = entries.at(-1)?.id ?? at;
        yield entries.map(({ id, record }) => ({ text: record, position: id }));
      }
    },
    async before(tenant, position, count) {
      const entries = await attempt(tenant, () => client.last(tenant, entryIdAfter(checkedId(position)), count));
      return entries.map(({ record }) => record);
    },
    follow: (tenant, options) => readStream(polling, tenant, options),
  };
}

/** A position comes back from outside, where it may have been made up. */
function checkedId(position: string): string {
  if (/^[0-9]{1,15}-[0-9]{1,15}$/.test(position)) return position;
  throw noPosition();
}
