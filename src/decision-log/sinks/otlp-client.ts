/**
 * One POST at a time to a collector, over connections that stay open: what goes out, and what came back, without a
 * judgement of it. Used by the OTLP sink only. It never sends anything twice.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface Answer {
  readonly status: number;
  /** Without parameters, in lower case; empty where there is none. */
  readonly contentType: string;
  /** How long the collector asks to be left alone; 0 where it does not. */
  readonly retryAfterMs: number;
  readonly body: Buffer;
}

export interface Poster {
  /** Rejects where no whole answer came in time, saying why. */
  post(body: Uint8Array, headers: OutgoingHttpHeaders): Promise<Answer>;
  /** Ends connections; what is in flight rejects. */
  close(): void;
}

/** What comes back is a count, or a sentence. */
const maxAnswerBytes = 64 * 1024;
/** Shorter than servers keep idle connections: one that they close while it is used costs a batch its attempt. */
const idleMs = 4_000;

/** @param ca Authorities to trust in place of the system's, as PEM. */
export function createPoster(url: URL, ca: string | undefined, timeoutMs: number): Poster {
  const settings = { keepAlive: true, timeout: idleMs };
  const isTls = url.protocol === 'https:';
  const agent = isTls ? new HttpsAgent({ ...settings, ...(ca === undefined ? {} : { ca }) }) : new HttpAgent(settings);
  const request = isTls ? httpsRequest : httpRequest;
  return {
    post(body, headers) {
      return new Promise((resolve, reject) => {
        const signal = AbortSignal.timeout(timeoutMs);
        const fail = (error: unknown) => reject(signal.aborted ? new Error(`no answer in ${timeoutMs} ms`) : error);
        const outgoing = request(url, {
          method: 'POST',
          agent,
          signal,
          headers: { ...headers, 'content-type': 'application/x-protobuf', 'content-length': body.length },
        });
        outgoing.on('error', fail);
        outgoing.on('response', (incoming) => readAnswer(incoming).then(resolve, fail));
        outgoing.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  const { 'content-type': type = '', 'retry-after': after } = incoming.headers;
  return {
    status: incoming.statusCode ?? 0,
    contentType: (type.split(';')[0] as string).trim().toLowerCase(),
    retryAfterMs: parseRetryAfter(after, Date.now()),
    body: Buffer.concat(chunks),
  };
}

/** Seconds, or a date; RFC 9110, section 10.2.3. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0;
  const ms = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return ms > 0 ? ms : 0;
}
