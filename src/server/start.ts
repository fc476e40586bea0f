/**
 * Starts every adapter that is asked for and ends them together. The parts list
 * calls it once, when there is a PDP; readiness is the PDP's affair.
 */
import type { Pdp } from '../pdp/view.ts';
import type { HostPort } from './address.ts';
import type { ServerLog } from './errors.ts';
import { type GrpcServerOptions, startGrpcServer } from './grpc/server.ts';
import type { ProbeSources } from './http/probes.ts';
import { startHttpServer } from './http/server.ts';

export interface ServersOptions {
  /** Undefined starts no gRPC over TCP. */
  readonly grpcAddress: HostPort | undefined;
  /** Undefined starts no HTTP. */
  readonly httpAddress: HostPort | undefined;
  /** Undefined starts no Unix socket. `mode` is its permission bits, such as 0o660. */
  readonly socket: GrpcServerOptions['socket'];
  /** Whether to answer server reflection; default true. */
  readonly reflection?: boolean;
}

export interface ServersDependencies {
  readonly pdp: Pdp;
  readonly log: ServerLog;
  /** What /metrics answers. */
  readonly metricsText: ProbeSources['metricsText'];
}

/** What is listening, with the ports that were taken. */
export interface Servers {
  readonly grpcAddress: HostPort | undefined;
  readonly httpAddress: HostPort | undefined;
  readonly socket: string | undefined;
  /**
   * Drains: health says NOT_SERVING, nothing new is taken, what is in flight
   * finishes, what is left after the deadline is cut off. Idempotent.
   */
  close(deadlineMs: number): Promise<void>;
}

/** @throws PosternError INVALID_OPTION where an address cannot be bound, naming the option; nothing is left listening then. */
export async function startServers(dependencies: ServersDependencies, options: ServersOptions): Promise<Servers> {
  const { pdp, log, metricsText } = dependencies;
  const { grpcAddress, httpAddress, socket, reflection = true } = options;
  const grpc = await startGrpcServer(pdp, { address: grpcAddress, socket, reflection }, log);
  const http =
    httpAddress === undefined
      ? undefined
      : await startHttpServer(pdp, httpAddress, metricsText, log).catch(async (error: unknown) => {
          await grpc.close(0);
          throw error;
        });
  return {
    grpcAddress: grpc.address,
    httpAddress: http?.address,
    socket: grpc.socket,
    async close(deadlineMs) {
      await Promise.all([grpc.close(deadlineMs), http?.close(deadlineMs)]);
    },
  };
}
