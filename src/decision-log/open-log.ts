/**
 * Puts a decision log together: lanes, and the outlet that the mode asks for. Made by the parts list of a sidecar.
 */
import { BufferedDecisionLog } from './buffered-log.ts';
import type { Signer } from './chain/seal-key.ts';
import { type Content, plainContent } from './content/content.ts';
import { DirectOutlet } from './direct-outlet.ts';
import type { LogEvent } from './events.ts';
import type { WhenFull } from './lane.ts';
import type { Sink } from './sink.ts';
import { SpoolOutlet } from './spool/spool-outlet.ts';

/**
 * What happens when the sink is slow or gone: records wait on disk (and the newest are dropped when that is full, too);
 * questions wait; the oldest records are dropped, or the newest.
 */
export type LogMode = 'spool' | 'block' | 'drop-oldest' | 'drop-newest';

export interface OpenLogOptions {
  readonly mode: LogMode;
  /** Names this process in every record: unique among those that write to one sink. */
  readonly instance: string;
  readonly sink: Sink;
  /** For mode `spool`. */
  readonly spool?: { readonly directory: string; readonly bytes: number; readonly sync: boolean } | undefined;
  /** Most bytes that may wait in memory, about; default 64 MiB. */
  readonly bufferBytes?: number;
  /** Records that are written at once; default 1,000. */
  readonly batchRecords?: number;
  /** Tenants that are known to be served. */
  readonly tenants?: readonly string[];
  /**
   * How long a record may wait in memory for others to share a batch with, in milliseconds; default 10. With 0 and a spool
   * it is on disk when append() returns.
   */
  readonly intervalMs?: number;
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  /** A chain is sealed when so many milliseconds have gone since its last seal; default 60,000. */
  readonly sealIntervalMs?: number;
  readonly sign?: Signer | undefined;
  /** What is recorded of all that is decided; everything, as it is, by default. */
  readonly content?: Content;
  /** Told once per outage, not once per record. Must not throw. */
  readonly onEvent?: (event: LogEvent) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A chain is sealed after so many lines, too: a reader verifies what it has without waiting for long. */
const sealLines = 10_000;

const whenFull: Readonly<Record<LogMode, WhenFull>> = {
  spool: 'drop-newest',
  block: 'wait',
  'drop-oldest': 'drop-oldest',
  'drop-newest': 'drop-newest',
};

/** @throws what the file system throws where the spool cannot be opened */
export async function openLog(options: OpenLogOptions): Promise<BufferedDecisionLog> {
  const { mode, instance, sink, spool, onEvent = () => {}, now = Date.now, intervalMs = 10 } = options;
  const content = options.content ?? plainContent;
  const shared = {
    instance,
    sink,
    retryMinMs: options.retryMinMs ?? 100,
    retryMaxMs: options.retryMaxMs ?? 5_000,
    onEvent,
    now,
    logFacts: (tenant: string) => JSON.stringify({ mode, sink: sink.description, ...content.describe(tenant) }),
    lostMs: intervalMs,
    sealIntervalMs: options.sealIntervalMs ?? 60_000,
    sealLines,
    sign: options.sign,
  };
  const outlet =
    spool === undefined
      ? new DirectOutlet(shared)
      : await SpoolOutlet.open({
          ...shared,
          directory: spool.directory,
          spoolBytes: spool.bytes,
          sync: spool.sync,
          writeThrough: intervalMs === 0,
          tenants: options.tenants ?? [],
        });
  return new BufferedDecisionLog({
    instance,
    outlet,
    content,
    whenFull: whenFull[mode],
    ...(options.bufferBytes === undefined ? {} : { bufferBytes: options.bufferBytes }),
    ...(options.batchRecords === undefined ? {} : { batchRecords: options.batchRecords }),
    intervalMs,
    onEvent,
    now,
  });
}
