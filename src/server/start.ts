/**
 * Starts every adapter that is asked for and ends them together. The parts list
 * calls it once, when there is a PDP; readiness is the PDP's affair.
 */
import type { Administration } from '../admin/api.ts';
import type { DecisionReads } from '../admin/decisions.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import type { Pdp } from '../pdp/view.ts';
import type { HostPort } from './address.ts';
import { decisionLogServiceOf } from './decision-log/service.ts';
import type { ServerLog } from './errors.ts';
import type { Gates } from './gates.ts';
import { type GrpcServerOptions, startGrpcServer } from './grpc/server.ts';
import type { ProbeSources } from './http/probes.ts';
import { startHttpServer } from './http/server.ts';
import { policyServiceOf } from './policy/service.ts';

export interface ServersOptions {
  /** Undefined starts no gRPC over TCP. */
  readonly grpcAddress: HostPort | undefined;
  /** Undefined starts no HTTP. */
  readonly httpAddress: HostPort | undefined;
  /** Undefined starts no Unix socket. `mode` is its permission bits, such as 0o660. */
  readonly socket: GrpcServerOptions['socket'];
  /** TLS for gRPC over TCP; default none. */
  readonly tls?: GrpcServerOptions['tls'];
  /** Whether to answer server reflection; default true. */
  readonly reflection?: boolean;
}

export interface ServersDependencies {
  readonly pdp: Pdp;
  readonly gates: Gates;
  readonly log: ServerLog;
  /** What /metrics answers. */
  readonly metricsText: ProbeSources['metricsText'];
  /** What PolicyService asks, and who may; without both it is not served. */
  readonly administration?: Administration | undefined;
  readonly authenticate?: Authenticator['authenticate'] | undefined;
  /** What DecisionLogService asks; without it, or without `authenticate`, it is not served. */
  readonly decisions?: DecisionReads | undefined;
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

/** @throws PosternError INVALID_OPTION where an address cannot be bound or TLS cannot be had, naming the option; nothing is left listening then. */
export async function startServers(dependencies: ServersDependencies, options: ServersOptions): Promise<Servers> {
  const { pdp, gates, log, metricsText, administration, authenticate, decisions } = dependencies;
  const services = [
    policyServiceOf(administration && authenticate && { administration, authenticate }),
    decisionLogServiceOf(decisions && authenticate && { decisions, authenticate }),
  ];
  const { grpcAddress, httpAddress, socket, tls, reflection = true } = options;
  const grpc = await startGrpcServer(pdp, services, { address: grpcAddress, socket, tls, reflection }, gates, log);
  const http =
    httpAddress === undefined
      ? undefined
      : await startHttpServer(pdp, services, httpAddress, metricsText, gates, log).catch(async (error: unknown) => {
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
