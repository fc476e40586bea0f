/**
 * The plain paths beside the RPCs: /livez and /readyz for an orchestrator,
 * /metrics for a scraper. Every other path is answered with what there is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { messageOf } from '../../model/errors.ts';
import type { ReadinessReport } from '../../pdp/readiness.ts';
import type { ServerLog } from '../errors.ts';

export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;

export interface ProbeSources {
  /** Whether this process should be sent requests now, and why not. */
  readonly readiness: () => ReadinessReport;
  /** Metrics in the Prometheus text format. */
  readonly metricsText: () => string | Promise<string>;
}

const jsonType = 'application/json';
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

export function createProbes(
  sources: ProbeSources,
  log: ServerLog,
): (request: AnyRequest, response: AnyResponse) => void {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const send = (status: number, body: object) => reply(request, response, status, jsonType, JSON.stringify(body));
    if (path !== '/livez' && path !== '/readyz' && path !== '/metrics') {
      send(404, { error: 'no such path; there are POST /postern.v1.DecisionService/Check, /livez, /readyz, /metrics' });
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(405, { error: `${path} is read with GET` });
    } else if (path === '/livez') {
      send(200, { status: 'live' });
    } else if (path === '/readyz') {
      const { ready, reason, behind, more, decisionLog } = sources.readiness();
      const log = decisionLog === undefined ? {} : { decisionLog };
      const rest = { ...(behind.length > 0 ? { behind } : {}), ...(more > 0 ? { more } : {}), ...log };
      if (ready) send(200, { status: 'ready', ...rest });
      else send(503, { status: 'not ready', reason, ...rest });
    } else {
      Promise.resolve()
        .then(sources.metricsText)
        .then((text) => reply(request, response, 200, metricsType, text))
        .catch((error: unknown) => {
          log.error({ err: error }, 'metrics could not be collected');
          send(500, { error: `metrics could not be collected: ${messageOf(error)}` });
        });
    }
  };
}

/** Answers with a body, and reads nothing more of the request. */
export function reply(request: AnyRequest, response: AnyResponse, status: number, type: string, body: string): void {
  // Whatever was sent along is not read; the connection can go on.
  request.resume();
  response.statusCode = status;
  response.setHeader('content-type', type);
  response.setHeader('content-length', Buffer.byteLength(body));
  response.setHeader('cache-control', 'no-store');
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}
