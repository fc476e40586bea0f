/**
 * The gRPC server: DecisionService, services for callers who are known, health and reflection on a
 * TCP address and, where asked, on a Unix socket; and the way it ends. Created by startServers.
 */
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { DecisionService } from '../../gen/postern/v1/decision_service_pb.ts';
import { maxMessageBytes } from '../../model/limits.ts';
import type { Pdp } from '../../pdp/view.ts';
import { bindError, formatAddress, type HostPort } from '../address.ts';
import type { AuthenticatedService } from '../authenticated.ts';
import type { ServerLog } from '../errors.ts';
import type { Gates } from '../gates.ts';
import { addAuthenticatedService } from './authenticated-service.ts';
import { addHealth } from './health.ts';
import { createInterceptor } from './intercept.ts';
import { createLongCalls } from './long-calls.ts';
import { addReflection } from './reflection.ts';
import { addDecisionService, decisionServiceName } from './service.ts';
import { clearSocketPath, restrictSocket } from './socket.ts';
import { openTls, type Tls, type TlsFiles } from './tls.ts';

export interface GrpcServerOptions {
  readonly address: HostPort | undefined;
  readonly socket: { readonly path: string; readonly mode: number } | undefined;
  /** For `address`; undefined is plain. The socket is plain always. */
  readonly tls: TlsFiles | undefined;
  /** Whether to answer server reflection. */
  readonly reflection: boolean;
}

export interface GrpcServer {
  /** With the port that was taken. */
  readonly address: HostPort | undefined;
  readonly socket: string | undefined;
  /**
   * Says NOT_SERVING, takes no new calls, lets those in flight finish, and cuts
   * off what is left after the deadline. Idempotent.
   */
  close(deadlineMs: number): Promise<void>;
}

/**
 * @param authenticated Those that are not served tell their callers so.
 * @throws PosternError INVALID_OPTION where an address cannot be bound, or TLS cannot be had; nothing is left listening then.
 */
export async function startGrpcServer(
  pdp: Pdp,
  authenticated: readonly AuthenticatedService[],
  options: GrpcServerOptions,
  gates: Gates,
  log: ServerLog,
): Promise<GrpcServer> {
  // It prints to stderr what it also reports to its caller, in a form of its own.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': gates.maxConcurrentStreams,
    interceptors: [createInterceptor(gates.admission, log)],
  });
  const streams = new Set<() => void>();
  const longCalls = createLongCalls(server);
  addDecisionService(server, { pdp, log, ...gates }, streams);
  for (const service of authenticated) addAuthenticatedService(server, service, { log, ...gates }, streams);
  const known = authenticated.filter(({ served }) => served !== undefined).map(({ desc }) => desc);
  const names = known.map(({ typeName }) => typeName);
  const health = addHealth(longCalls.registrar, pdp, decisionServiceName, names);
  if (options.reflection) {
    addReflection(longCalls.registrar, [DecisionService.file, ...known.map(({ file }) => file)]);
  }

  let address: HostPort | undefined;
  let tls: Tls | undefined;
  try {
    if (options.address !== undefined) {
      if (options.tls !== undefined) tls = await openTls(options.tls, log);
      address = await bindAddress(server, options.address, tls?.credentials ?? ServerCredentials.createInsecure());
    }
    if (options.socket !== undefined) await bindSocket(server, options.socket.path, options.socket.mode);
  } catch (error) {
    health.close();
    server.forceShutdown();
    await tls?.close();
    throw error;
  }

  let closing: Promise<void> | undefined;
  const close = (deadlineMs: number): Promise<void> => {
    closing ??= drain(deadlineMs).then(() => tls?.close());
    return closing;
  };
  const drain = (deadlineMs: number): Promise<void> => {
    return new Promise((resolve) => {
      health.close();
      const cutOff = setTimeout(() => {
        log.error({ deadlineMs }, 'calls were still open at the end of the drain and have been cut off');
        server.forceShutdown();
      }, deadlineMs);
      server.tryShutdown(() => {
        clearTimeout(cutOff);
        resolve();
      });
      for (const end of [...streams]) end();
      longCalls.end();
    });
  };
  return { address, socket: options.socket?.path, close };
}

async function bindAddress(server: Server, wanted: HostPort, credentials: ServerCredentials): Promise<HostPort> {
  const port = await bind(server, formatAddress(wanted), credentials, 'grpc-address', formatAddress(wanted));
  return { host: wanted.host, port };
}

async function bindSocket(server: Server, path: string, mode: number): Promise<void> {
  await clearSocketPath(path);
  await bind(server, `unix:${path}`, ServerCredentials.createInsecure(), 'socket', path);
  await restrictSocket(path, mode);
}

function bind(
  server: Server,
  target: string,
  credentials: ServerCredentials,
  option: string,
  shown: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(bindError(shown, option, error));
    });
  });
}
