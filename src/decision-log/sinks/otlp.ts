/**
 * Records as OTLP log records, to a collector over HTTP with protobuf. A line counts as written when the collector has
 * said so. Where it says that something is wrong with what was sent, the lines are tried in halves, and those that are
 * refused alone are reported; any other answer, or none, fails the batch. It never sends a batch again by itself, and
 * sends nothing before the time that a collector asked to be left alone for.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { messageOf } from '../../model/errors.ts';
import type { Batch, Refused, Sink } from '../sink.ts';
import { type Answer, createPoster } from './otlp-client.ts';
import { findRefused, linesOf, piecesOf, type Verdict } from './pieces.ts';

export interface OtlpSinkOptions {
  readonly url: URL;
  readonly instance: string;
  /** Authorities to trust in place of the system's, as PEM; for https. */
  readonly ca?: string | undefined;
  /** Sent with every request. Asked again after a collector did not accept them. */
  readonly headers?: () => Promise<OutgoingHttpHeaders>;
  /** How long an answer may take. Default 10 s, as in the OTLP specification. */
  readonly timeoutMs?: number;
}

/** Records of one request, in bytes of their text. Collectors take 1 MiB and more. */
const maxRequestBytes = 512 * 1024;
/** Lines that are refused before it is doubted that this is about the lines. */
const maxDoubts = 16;
/** A collector that asks for more is asked again after this. */
const maxRetryAfterMs = 5 * 60_000;
const maxWordsLength = 200;

export function createOtlpSink(options: OtlpSinkOptions): Sink {
  const { url, instance, headers = async () => ({}) } = options;
  const poster = createPoster(url, options.ca, options.timeoutMs ?? 10_000);
  const description = `OTLP logs at ${url.origin}${url.pathname}`;
  let accepted: Promise<OutgoingHttpHeaders> | undefined;
  let loading: Promise<Encoding> | undefined;
  let notBeforeMs = 0;

  const post = async (body: Uint8Array): Promise<Answer> => {
    const waitMs = notBeforeMs - performance.now();
    if (waitMs > 0) throw new Error(`${description}: left alone for ${Math.ceil(waitMs / 1_000)} s, as it asked`);
    accepted ??= headers();
    try {
      const answer = await poster.post(body, await accepted);
      notBeforeMs = performance.now() + Math.min(answer.retryAfterMs, maxRetryAfterMs);
      if (answer.status === 401 || answer.status === 403) accepted = undefined;
      return answer;
    } catch (error) {
      accepted = undefined;
      throw new Error(`${description}: ${messageOf(error)}`, { cause: error });
    }
  };
  /** Servers may hang up on what is too long before they have said so. */
  const postLong = async (body: Uint8Array, empty: Uint8Array): Promise<Answer> => {
    for (let cuts = 1; ; cuts++) {
      try {
        return await post(body);
      } catch (error) {
        if (body.length < maxRequestBytes || !isCut(error)) throw error;
        if (!isSuccess(await post(empty))) throw error;
        if (cuts === 2) return tooLong;
      }
    }
  };
  const failure = ({ status, body }: Answer) => new Error(`${description} answered ${status}${wordsOf(body)}`);

  return {
    description,
    async write({ parts, records }: Batch): Promise<Refused> {
      loading ??= loadEncoding(instance);
      const { encode, rejectedOf } = await loading;
      const refused: number[] = [];
      let trusted = false;
      let doubts = 0;
      const empty = encode([], Date.now());

      /** That the collector takes requests at all: without that, what it does not take says nothing of the lines. */
      const doubt = async (answer: Answer) => {
        if (trusted || ++doubts % maxDoubts !== 1) return;
        trusted = isSuccess(await post(empty));
        if (!trusted && doubts > 1) throw failure(answer);
      };
      const send = async (text: string): Promise<Verdict> => {
        const lines = linesOf(text);
        const answer = await postLong(encode(lines, Date.now()), empty);
        if (answer.status === 400 || answer.status === 413) {
          await doubt(answer);
          return 'unclear';
        }
        if (!isSuccess(answer)) throw failure(answer);
        trusted = true;
        const rejected = answer.contentType === jsonType ? rejectedOfJson(answer.body) : rejectedOf(answer.body);
        if (rejected === 0) return 'taken';
        return rejected >= lines.length ? 'refused' : 'unclear';
      };

      for (const piece of piecesOf(parts, maxRequestBytes)) refused.push(...(await findRefused(piece, send)));
      if (refused.length === records && !trusted) {
        throw new Error(`${description} takes nothing: not these records, and no request without any`);
      }
      return refused;
    },
    async close() {
      poster.close();
    },
  };
}

type Encoding = {
  readonly encode: (lines: readonly string[], nowMs: number) => Uint8Array;
  readonly rejectedOf: (answer: Uint8Array) => number;
};

async function loadEncoding(instance: string): Promise<Encoding> {
  const { createOtlpEncoder, rejectedOf } = await import('./otlp-records.ts');
  return { encode: createOtlpEncoder(instance), rejectedOf };
}

const tooLong: Answer = { status: 413, contentType: '', retryAfterMs: 0, body: Buffer.alloc(0) };

function isCut(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
}

const jsonType = 'application/json';

/** A server that knows nothing of OTLP may say 200 to anything, with a page for people. */
function isSuccess({ status, contentType, body }: Answer): boolean {
  if (status < 200 || status > 299) return false;
  return body.length === 0 || contentType === 'application/x-protobuf' || contentType === jsonType;
}

function rejectedOfJson(body: Buffer): number {
  const answer = JSON.parse(body.toString()) as { partialSuccess?: { rejectedLogRecords?: number | string } };
  return Number(answer.partialSuccess?.rejectedLogRecords ?? 0);
}

/** What a collector says of a failure, whether as text, JSON or the text within a protobuf message. */
function wordsOf(body: Buffer): string {
  const words = body
    .toString()
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
  return words === '' ? '' : `: ${words.slice(0, maxWordsLength)}`;
}
