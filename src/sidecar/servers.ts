/**
 * What a sidecar answers on: its servers with their gates, metrics and administration, as the options ask for them.
 * Made by the parts list, after the replicas: these modules take longer to load than all others.
 */
import { modeNameOf } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import type { DecisionLog } from '../decision-log/log.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { RunningPdp } from '../pdp/pdp.ts';
import { createGates } from '../server/gates.ts';
import type { TlsFiles } from '../server/grpc/tls.ts';
import { type Servers, startServers } from '../server/start.ts';
import type { RedisAccess } from '../store/redis/access.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { OpenAdministration } from './administration.ts';
import type { OpenDecisionReads } from './decision-reads.ts';
import type { ServedTenants } from './served-tenants.ts';

export interface OpenServers {
  readonly servers: Servers;
  /** Drains the servers, then closes what they used; idempotent. */
  close(deadlineMs: number): Promise<void>;
}

/** @throws PosternError INVALID_OPTION where an address, a certificate or the file of credentials cannot be used; nothing stays open then */
export async function openServers(
  options: ServeOptions,
  logger: Logger,
  log: DecisionLog,
  pdp: RunningPdp,
  store: Store,
  redis: RedisAccess | undefined,
  served: ServedTenants,
): Promise<OpenServers> {
  const administration = await openAdministration(options, store, served, logger, log);
  const reads = await openReads(options, store, redis, served);
  const close = async () => {
    reads?.close();
    await administration?.close();
  };
  try {
    const servers = await serve(options, logger, log, pdp, administration, reads, served);
    return {
      servers,
      async close(deadlineMs) {
        await servers.close(deadlineMs);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Undefined where the decision log is not served. */
async function openReads(
  options: ServeOptions,
  store: Store,
  redis: RedisAccess | undefined,
  served: ServedTenants,
): Promise<OpenDecisionReads | undefined> {
  if (!options.serveDecisionLog) return undefined;
  const { openDecisionReads } = await import('./decision-reads.ts');
  return openDecisionReads(options, redis, store, served);
}

/** Undefined where nobody may administer. */
async function openAdministration(
  options: ServeOptions,
  store: Store,
  served: ServedTenants,
  logger: Logger,
  log: DecisionLog,
): Promise<OpenAdministration | undefined> {
  const { adminAuth: file } = options;
  if (file === undefined) return undefined;
  const { openAdministration: open } = await import('./administration.ts');
  return open(file, options, store, served, logger, log);
}

async function serve(
  options: ServeOptions,
  logger: Logger,
  log: DecisionLog,
  pdp: RunningPdp,
  administration: OpenAdministration | undefined,
  reads: OpenDecisionReads | undefined,
  served: ServedTenants,
): Promise<Servers> {
  const requestErrors: Partial<Record<ErrorCode, number>> = {};
  const gates = createGates(options, (reason, shed) =>
    logger.warn({ reason, shed }, 'there is more to do than this sidecar can: some requests are refused'),
  );
  const metrics = createMetrics({
    decisions: () => pdp.counters,
    decisionLog: () => ({
      ...log.stats(),
      mode: modeNameOf(options),
    }),
    snapshots: () => served.facts(),
    tenants: () => served.tenantFacts(),
    requestErrors: () => requestErrors,
    load: () => gates.admission,
  });
  return startServers(
    {
      pdp,
      gates,
      log: {
        info: (fields, message) => logger.info(fields, message),
        error: (fields, message) => logger.error(fields, message),
        refused: (code) => {
          requestErrors[code] = (requestErrors[code] ?? 0) + 1;
        },
      },
      metricsText: () => metrics.text(),
      administration: administration?.administration,
      authenticate: administration?.authenticate,
      decisions: reads?.decisions,
    },
    {
      grpcAddress: options.grpc ? options.grpcAddress : undefined,
      httpAddress: options.http ? options.httpAddress : undefined,
      socket: options.socket === undefined ? undefined : { path: options.socket, mode: options.socketMode },
      tls: tlsFilesOf(options),
      reflection: options.reflection,
    },
  );
}

function tlsFilesOf({ tlsCert, tlsKey, tlsClientCa, tlsRequireClientCert }: ServeOptions): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: tlsCert, key: tlsKey, clientCa: tlsClientCa, requireClientCert: tlsRequireClientCert };
}
