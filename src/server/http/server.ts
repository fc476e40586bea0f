/**
 * The HTTP server: Connect (JSON and protobuf, also gRPC and gRPC-Web), probes
 * and metrics on one port. Created by startServers.
 */
import { createConnectRouter, createContextValues } from '@connectrpc/connect';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { DecisionService } from '../../gen/postern/v1/decision_service_pb.ts';
import { PolicyService } from '../../gen/postern/v1/policy_service_pb.ts';
import { maxMessageBytes } from '../../model/limits.ts';
import type { Pdp } from '../../pdp/view.ts';
import type { HostPort } from '../address.ts';
import type { ServerLog } from '../errors.ts';
import type { LongWork } from '../long-work.ts';
import type { PolicyParts } from '../policy/answers.ts';
import { withErrorInfo } from './errors.ts';
import { listenHttp } from './listener.ts';
import { createAbsentPolicyService, createPolicyGate, createPolicyService } from './policy-service.ts';
import { type AnyRequest, type AnyResponse, createProbes, type ProbeSources, reply } from './probes.ts';
import { callerKey, createDecisionService } from './service.ts';

export interface HttpServer {
  /** With the port that was taken. */
  readonly address: HostPort;
  /** Takes no new connections, lets requests in flight finish, cuts off the rest at the deadline. Idempotent. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * @param policy Undefined serves no PolicyService, and tells its callers so.
 * @throws PosternError INVALID_OPTION where the address cannot be bound.
 */
export async function startHttpServer(
  pdp: Pdp,
  policy: PolicyParts | undefined,
  address: HostPort,
  metricsText: ProbeSources['metricsText'],
  log: ServerLog,
  longWork: LongWork,
): Promise<HttpServer> {
  let draining = false;
  const ended = new AbortController();
  const notReady = () =>
    draining ? 'the server is shutting down' : pdp.ready ? undefined : 'no policy has been loaded yet';
  const probes = createProbes({ notReady, metricsText }, log);
  const listener = await listenHttp(address, createHandler(pdp, policy, ended.signal, probes, log, longWork));
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
  policy: PolicyParts | undefined,
  ended: AbortSignal,
  fallback: (request: AnyRequest, response: AnyResponse) => void,
  log: ServerLog,
  longWork: LongWork,
): (request: AnyRequest, response: AnyResponse) => void {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: maxMessageBytes,
    // A misspelt "object" that was passed over would turn the question into one about the whole tenant.
    // A denial says "allowed": false in so many words.
    jsonOptions: { ignoreUnknownFields: false, alwaysEmitImplicit: true },
    requestGate: createPolicyGate(policy, log),
  })
    .service(DecisionService, createDecisionService(pdp, log, longWork))
    .service(
      PolicyService,
      policy === undefined ? createAbsentPolicyService() : createPolicyService(policy, log, ended),
    );
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
    Promise.resolve()
      .then(() => handler(universalRequestFromNodeRequest(request, response, undefined, values)))
      .then(withErrorInfo)
      .then((answer) => universalResponseToNodeResponse(answer, response))
      // The connection is gone or the request was no HTTP that Connect can use; there is nobody to tell.
      .catch(() => response.destroy());
  };
}
