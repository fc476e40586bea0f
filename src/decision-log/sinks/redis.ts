/**
 * Records in the tenant's Redis stream, one entry each with one field, so that
 * a plain XRANGE reads them. The client is injected: connections, keys and
 * scripts belong to store/redis. Pieces of a batch are sent one after the
 * other, one script call each: Redis serves others in between, and where one
 * fails nothing that follows it is there yet, so that first copies are in order.
 */
import type { Batch, Refused, Sink } from '../sink.ts';
import { findRefused, piecesOf } from './pieces.ts';
import { createRetention, type RetentionOptions, type StreamTrimmer } from './redis-retention.ts';

/** What the sink needs of a Redis connection. */
export interface DecisionAppender extends StreamTrimmer {
  /** Words for the start-up line, without secrets. */
  readonly description: string;
  /**
   * Appends every line of `lines` (each ended by "\n") to the tenant's stream, all or, where it rejects, possibly none.
   * Resolves with the time that Redis gave the last of them, in milliseconds since 1970; `too_long` where Redis takes
   * no text of this length.
   */
  append(tenant: string, lines: string): Promise<number | 'too_long'>;
}

/**
 * Half of the least that an operator can allow for one text, or for what Redis holds of a client: so only a line that
 * is longer by itself can be too long.
 */
const maxCallBytes = 512 * 1024;

/** @param retention What a tenant's stream keeps; without it, all. */
export function createRedisSink(client: DecisionAppender, retention: RetentionOptions = {}): Sink {
  const kept = createRetention(client, retention);
  return {
    description: `a stream per tenant in ${client.description}`,
    async write({ tenant, parts }: Batch): Promise<Refused> {
      const refused: number[] = [];
      for (const piece of piecesOf(parts, maxCallBytes)) {
        const found = await findRefused(piece, async (text) => {
          const appended = await client.append(tenant, text);
          if (appended === 'too_long') return 'unclear';
          kept.note(tenant, appended);
          return 'taken';
        });
        refused.push(...found);
      }
      await kept.apply(tenant);
      return refused;
    },
    async close() {
      kept.close();
    },
  };
}
