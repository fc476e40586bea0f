/**
 * Records in the tenant's Redis stream, one entry each with one field, so that
 * a plain XRANGE reads them. The client is injected: connections, keys and
 * scripts belong to store/redis. Parts of a batch are sent together, one script
 * call each, so that Redis serves others in between.
 */
import { type Batch, noneRefused, type Refused, type Sink } from '../sink.ts';

/** What the sink needs of a Redis connection. */
export interface DecisionAppender {
  /** Words for the start-up line, without secrets. */
  readonly description: string;
  /**
   * Appends every line of `lines` (each ended by "\n") to the tenant's stream, all or, where it rejects, possibly none;
   * then trims the stream to about `maxEntries`, 0 for no limit.
   */
  append(tenant: string, lines: string, maxEntries: number): Promise<void>;
}

/** @param maxEntries About how many entries a tenant's stream keeps; 0 keeps all. */
export function createRedisSink(client: DecisionAppender, maxEntries: number): Sink {
  return {
    description: `a stream per tenant in ${client.description}`,
    async write(batch: Batch): Promise<Refused> {
      const results = await Promise.allSettled(
        batch.parts.map((lines) => client.append(batch.tenant, lines, maxEntries)),
      );
      // Only after every part has ended: the batch must not come again while a part of it is under way.
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      return noneRefused;
    },
    async close() {},
  };
}
