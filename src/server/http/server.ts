/**
 * The HTTP server: Connect (JSON and protobuf, also gRPC and gRPC-Web), probes
 * and metrics on one port. Created by startServers.
 */
import { createConnectRouter, createContextKey, createContextValues } from '@connectrpc/connect';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { DecisionService } from '../../gen/postern/v1/decision_service_pb.ts';
import { maxMessageBytes } from '../../model/limits.ts';
import type { Pdp } from '../../pdp/view.ts';
import type { HostPort } from '../address.ts';
import { streamBytes } from '../admission.ts';
import type { AuthenticatedService } from '../authenticated.ts';
import type { ServerLog } from '../errors.ts';
import type { Gates } from '../gates.ts';
import { createAuthenticatedService, createAuthenticationGate } from './authenticated-service.ts';
import { toConnectError, withErrorInfo } from './errors.ts';
import { listenHttp } from './listener.ts';
import { type AnyRequest, type AnyResponse, createProbes, type ProbeSources, reply } from './probes.ts';
import { callerKey, createDecisionService } from './service.ts';

/** Why a call is not let in; set by the server for each such call. */
const refusalKey = createContextKey<unknown>(undefined, { description: 'refusal' });

export interface HttpServer {
  /** With the port that was taken. */
  readonly address: HostPort;
  /** Takes no new connections, lets requests in flight finish, cuts off the rest at the deadline. Idempotent. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * @param authenticated Those that are not served tell their callers so.
 * @throws PosternError INVALID_OPTION where the address cannot be bound.
 */
export async function startHttpServer(
  pdp: Pdp,
  authenticated: readonly AuthenticatedService[],
  address: HostPort,
  metricsText: ProbeSources['metricsText'],
  gates: Gates,
  log: ServerLog,
): Promise<HttpServer> {
  let draining = false;
  const ended = new AbortController();
  const readiness = () => {
    const report = pdp.readiness.report();
    return draining ? { ...report, ready: false, reason: 'the server is shutting down' } : report;
  };
  const probes = createProbes({ readiness, metricsText }, log);
  const listener = await listenHttp(
    address,
    gates.maxConcurrentStreams,
    createHandler(pdp, authenticated, gates, ended.signal, probes, log),
  );
  let closing: Promise<void> | undefined;
  const close = async (deadlineMs: number): Promise<void> => {
    draining = true;
    ended.abort();
    const cutOff = setTimeout(() => listener.destroy(), deadlineMs);
    await listener.drain();
    clearTimeout(cutOff);
  };
  return {
    address: listener.address,
    close(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}

/** Why a call cannot be one, for those who try with curl: Connect would say it by a number alone. */
function refusalOf(
  request: AnyRequest,
  supports: (contentType: string | null) => boolean,
): { readonly status: number; readonly error: string } | undefined {
  if (request.method !== 'POST') return { status: 405, error: 'calls are made with POST' };
  const contentType = request.headers['content-type'] ?? null;
  if (supports(contentType)) return undefined;
  const error = supports('application/json')
    ? 'send it with content-type: application/json'
    : 'this call streams: use a Connect or gRPC client, or, to list objects, postern list-objects --json';
  return { status: 415, error };
}

function createHandler(
  pdp: Pdp,
  authenticated: readonly AuthenticatedService[],
  { admission, longWork }: Gates,
  ended: AbortSignal,
  fallback: (request: AnyRequest, response: AnyResponse) => void,
  log: ServerLog,
): (request: AnyRequest, response: AnyResponse) => void {
  const authenticationGate = createAuthenticationGate(authenticated, log);
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: maxMessageBytes,
    // A misspelt "object" that was passed over would turn the question into one about the whole tenant.
    // A denial says "allowed": false in so many words.
    jsonOptions: { ignoreUnknownFields: false, alwaysEmitImplicit: true },
    // Before the body is read: what is refused should cost little.
    requestGate: async (context) => {
      const refusal = context.values.get(refusalKey);
      if (refusal !== undefined) throw toConnectError(refusal, log);
      await authenticationGate(context);
    },
  }).service(DecisionService, createDecisionService(pdp, log, longWork, admission));
  for (const service of authenticated) router.service(service.desc, createAuthenticatedService(service, log, ended));
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (request, response) => {
    const handler = handlers.get(request.url?.split('?', 1)[0] ?? '');
    if (handler === undefined) {
      fallback(request, response);
      return;
    }
    const refusal = refusalOf(request, handler.supportedContentType);
    if (refusal !== undefined) {
      reply(request, response, refusal.status, 'application/json', JSON.stringify({ error: refusal.error }));
      return;
    }
    const { remoteAddress, remotePort } = request.socket;
    const values = createContextValues().set(callerKey, `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`);
    try {
      admission.enter();
      // Until the answer has been read, or its reader has gone.
      response.once('close', admission.hold(Number(request.headers['content-length'] ?? streamBytes)));
    } catch (error) {
      values.set(refusalKey, error);
    }
    Promise.resolve()
      .then(() => handler(universalRequestFromNodeRequest(request, response, undefined, values)))
      .then(withErrorInfo)
      .then((answer) => universalResponseToNodeResponse(answer, response))
      // The connection is gone or the request was no HTTP that Connect can use; there is nobody to tell.
      .catch(() => response.destroy());
  };
}
