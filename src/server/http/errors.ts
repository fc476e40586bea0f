/**
 * Failures as Connect sends them. A request that Connect itself refuses, such as
 * JSON with a field that does not exist, gets its ErrorInfo here afterwards.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import { ConnectError } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/status_pb.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { toBadRequest, toErrorInfo, toRetryInfo } from '../decision/status.ts';
import { retryAfterSeconds, type ServerLog, toFailure } from '../errors.ts';

/** What a handler throws for anything thrown. */
export function toConnectError(error: unknown, log: ServerLog): ConnectError {
  const failure = toFailure(error, log);
  const badRequest = toBadRequest(failure);
  const retryInfo = toRetryInfo(failure);
  // Connect numbers its codes as gRPC does.
  return new ConnectError(failure.message, failure.status.grpc, headersOf(failure.code), [
    { desc: ErrorInfoSchema, value: toErrorInfo(failure) },
    ...(badRequest === undefined ? [] : [{ desc: BadRequestSchema, value: badRequest }]),
    ...(retryInfo === undefined ? [] : [{ desc: RetryInfoSchema, value: retryInfo }]),
  ]);
}

/** What HTTP wants beside the status: every 401 says what would do, and a 429 when to come again. */
function headersOf(code: ErrorCode): Record<string, string> | undefined {
  if (code === 'UNAUTHENTICATED') return { 'www-authenticate': 'Bearer' };
  return code === 'OVERLOADED' ? { 'retry-after': String(retryAfterSeconds) } : undefined;
}

/** Codes that Connect gives of its own accord, and what they are in the catalogue. */
const codesOfConnect: Readonly<Record<string, ErrorCode>> = {
  invalid_argument: 'INVALID_REQUEST',
  resource_exhausted: 'LIMIT_EXCEEDED',
};

/** The response with an ErrorInfo, where it is an error in JSON that has none. */
export async function withErrorInfo(response: UniversalServerResponse): Promise<UniversalServerResponse> {
  const { status, header, body } = response;
  if (status < 400 || body === null || body === undefined || header?.get('content-type') !== 'application/json') {
    return response;
  }
  if (header.has('content-encoding')) return response;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks);
  const error = JSON.parse(text.toString()) as { code?: string; details?: unknown };
  const code = codesOfConnect[error.code ?? ''];
  const sent = code === undefined || error.details !== undefined ? text : Buffer.from(withDetail(error, code));
  header.set('content-length', String(sent.length));
  return { ...response, body: once(sent) };
}

function withDetail(error: object, code: ErrorCode): string {
  const info = toErrorInfo({ code, metadata: {} });
  const value = base64Encode(toBinary(ErrorInfoSchema, create(ErrorInfoSchema, info)), 'std_raw');
  const debug = { reason: info.reason, domain: info.domain };
  return JSON.stringify({ ...error, details: [{ type: ErrorInfoSchema.typeName, debug, value }] });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
