/** `postern serve`: starts a sidecar, and ends with it. Called by the CLI with checked options. */
import type { ServeOptions } from '../config/options.ts';
import { formatAddress } from '../server/address.ts';
import { createLogger } from '../telemetry/logger.ts';
import { claimOf } from './decision-log.ts';
import { formatHints } from './hints.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';

/** Signals this close together are one that came by two ways. */
const sameSignalMs = 500;

/**
 * Serves until SIGTERM or SIGINT, then drains; a second signal ends at once.
 * @param isNamed Whether the operator gave the name of this instance.
 * @returns The exit code
 * @throws PosternError where it cannot start
 */
export async function runServe(asked: ServeOptions, isNamed: boolean): Promise<number> {
  const claim = await claimOf(asked, isNamed ? asked.instance : undefined);
  const options = claim === undefined ? asked : { ...asked, instance: claim.instance };
  const logger = createLogger({
    level: options.logLevel,
    format: options.logFormat,
    base: { instance: options.instance },
  });
  // A command ends where nobody reads what it prints; a sidecar goes on answering, and its decision log tells of it.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
  const stopped = Promise.withResolvers<NodeJS.Signals>();
  let firstAtMs = 0;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      // npm and a terminal may each pass on the same Ctrl-C: what comes at once is one signal.
      if (firstAtMs !== 0 && performance.now() - firstAtMs > sameSignalMs) process.exit(130);
      firstAtMs ||= performance.now();
      stopped.resolve(name);
    });
  }
  const sidecar = await startSidecar(options, logger, claim);
  logger.info(factsOf(sidecar, options), 'listening');
  void sidecar.ready.then(() => {
    logger.info({}, 'ready');
    if (options.hints) process.stderr.write(formatHints(sidecar.servers, options));
  });
  const signal = await stopped.promise;
  logger.info({ signal }, 'draining');
  await sidecar.close(options.drainTimeoutMs);
  logger.info({}, 'stopped');
  return 0;
}

function factsOf({ servers, storeDescription, logDescription }: Sidecar, options: ServeOptions): object {
  const { grpcAddress, httpAddress, socket } = servers;
  return {
    ...(grpcAddress === undefined ? {} : { grpc: formatAddress(grpcAddress) }),
    ...(httpAddress === undefined ? {} : { http: formatAddress(httpAddress) }),
    ...(socket === undefined ? {} : { socket }),
    tenants: options.tenant,
    store: storeDescription,
    decisionLog: logDescription,
  };
}
