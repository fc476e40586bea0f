/**
 * The parts of a running sidecar, put together: reads like a list. `postern
 * serve` starts one; tests start several in one process. Nothing here decides
 * or translates; it opens things in order, and closes them in reverse.
 */

import { graphOptions } from '../condition/graph-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { createIds } from '../decision-log/ids.ts';
import type { DecisionLog } from '../decision-log/log.ts';
import type { ErrorCode } from '../model/errors.ts';
import { createPdp, type RunningPdp } from '../pdp/pdp.ts';
import type { Pdp } from '../pdp/view.ts';
import { Replica } from '../replica/replica.ts';
import { type Servers, startServers } from '../server/start.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createMetrics, type SnapshotFacts } from '../telemetry/metrics.ts';
import { openDecisionLog } from './decision-log.ts';
import { openStore } from './open-store.ts';
import { ReplicaWatch } from './replica-watch.ts';

export interface Sidecar {
  readonly servers: Servers;
  /** Resolves when every tenant has a policy; never where one has none. */
  readonly ready: Promise<void>;
  /** What the operator should know of it, for the start-up line. */
  readonly storeDescription: string;
  readonly logDescription: string;
  /**
   * Drains: no new requests, those in flight finish, the decision log is
   * written, everything is closed. Idempotent.
   * @param deadlineMs For requests and log together.
   */
  close(deadlineMs: number): Promise<void>;
}

/** How long a synchronisation that failed waits before it is tried again, in milliseconds. */
const retryMs = 200;

/** @throws PosternError for options that cannot be met: a policy that is not valid, an address in use */
export async function startSidecar(options: ServeOptions, logger: Logger): Promise<Sidecar> {
  const closers: ((deadlineMs: number) => Promise<void>)[] = [];
  const closeAll = async (deadlineMs: number): Promise<void> => {
    const endMs = performance.now() + deadlineMs;
    for (const close of closers.splice(0).reverse()) await close(Math.max(0, endMs - performance.now()));
  };
  try {
    const { store, close: closeStore } = await openStore(options, logger);
    closers.push(closeStore);
    const log = openDecisionLog(options, logger);
    closers.push((deadlineMs) => log.close(deadlineMs));
    const watches = options.tenant.map((tenant) => new ReplicaWatch(tenant, logger));
    const replicas = watches.map((watch) => followTenant(store, watch, options));
    closers.push(async () => void (await Promise.all(replicas.map((replica) => replica.close()))));
    const pdp = createPdp({
      replicas,
      log,
      nextId: createIds(),
      now: Date.now,
      allowAssertedGroups: options.allowAssertedGroups,
    });
    const servers = await serve(options, logger, log, pdp, () =>
      replicas.map((replica, i) => (watches[i] as ReplicaWatch).facts(replica, Date.now())),
    );
    closers.push((deadlineMs) => {
      for (const replica of replicas) replica.endWaits();
      return servers.close(deadlineMs - logShareMs(deadlineMs));
    });
    let closing: Promise<void> | undefined;
    return {
      servers,
      ready: whenReady(pdp),
      storeDescription: store.description,
      logDescription: log.description,
      close: (deadlineMs) => (closing ??= closeAll(deadlineMs)),
    };
  } catch (error) {
    await closeAll(0);
    throw error;
  }
}

/** What requests leave of a drain: a caller who never reads must not cost the records of all the others. */
function logShareMs(drainMs: number): number {
  return Math.min(2_000, drainMs / 4);
}

function followTenant(store: Store, watch: ReplicaWatch, options: ServeOptions): Replica {
  return new Replica({
    store,
    tenant: watch.tenant,
    graph: graphOptions,
    compareIntervalMs: options.compareIntervalMs,
    retryMs,
    now: Date.now,
    onEvent: (event) => watch.note(event),
  });
}

function whenReady(pdp: Pdp): Promise<void> {
  return new Promise((resolve) => {
    if (pdp.ready) resolve();
    else pdp.onReadyChange(() => resolve());
  });
}

async function serve(
  options: ServeOptions,
  logger: Logger,
  log: DecisionLog,
  pdp: RunningPdp,
  snapshots: () => readonly SnapshotFacts[],
): Promise<Servers> {
  const requestErrors: Partial<Record<ErrorCode, number>> = {};
  const metrics = createMetrics({
    decisions: () => pdp.counters,
    decisionLog: () => log.stats(),
    snapshots,
    requestErrors: () => requestErrors,
  });
  return startServers(
    {
      pdp,
      log: {
        info: (fields, message) => logger.info(fields, message),
        error: (fields, message) => logger.error(fields, message),
        refused: (code) => {
          requestErrors[code] = (requestErrors[code] ?? 0) + 1;
        },
      },
      metricsText: () => metrics.text(),
    },
    {
      grpcAddress: options.grpc ? options.grpcAddress : undefined,
      httpAddress: options.http ? options.httpAddress : undefined,
      socket: options.socket === undefined ? undefined : { path: options.socket, mode: options.socketMode },
      reflection: options.reflection,
    },
  );
}
