/**
 * Asks a running sidecar over gRPC. The one file of the command line that knows
 * grpc-js; loaded only by commands that need a sidecar. Whatever fails becomes a
 * PosternError: the sidecar's own where it sent one, else one that says what to do.
 */
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { credentials, Client as GrpcClient, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfoSchema, StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { type ErrorCode, messageOf, PosternError } from '../model/errors.ts';
import { errorDomain, statuses } from '../server/errors.ts';

export interface ClientOptions {
  /** "host:port" or "unix:/path". */
  readonly address: string;
  /** For each call, from its start to its end. */
  readonly timeoutMs: number;
}

/** Calls throw PosternError. */
export interface Client {
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>;
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): AsyncGenerator<MessageShape<O>, void>;
  /** What grpc.health.v1 says of the whole server. */
  isServing(): Promise<boolean>;
  close(): void;
}

/** Connects when first used. @throws PosternError INVALID_OPTION */
export function createClient({ address, timeoutMs }: ClientOptions): Client {
  const client = new GrpcClient(parseAddress(address), credentials.createInsecure(), {
    // A sidecar is beside its caller; a proxy for the web must not come in between.
    'grpc.enable_http_proxy': 0,
    'grpc.max_receive_message_length': -1,
  });
  const toError = (error: unknown) => toPosternError(error, address, timeoutMs);
  const callOptions = () => ({ deadline: Date.now() + timeoutMs });
  const call = (path: string, request: Uint8Array) =>
    new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path, asBuffer, asIs, request, new Metadata(), callOptions(), (error, bytes) =>
        error === null && bytes !== undefined ? resolve(bytes) : reject(toError(error)),
      );
    });
  return {
    async unary(method, request) {
      const bytes = await call(pathOf(method), toBinary(method.input, create(method.input, request)));
      return fromBinary(method.output, bytes);
    },
    async *stream(method, request) {
      const bytes = toBinary(method.input, create(method.input, request));
      const stream = client.makeServerStreamRequest(pathOf(method), asBuffer, asIs, bytes, callOptions());
      try {
        for await (const part of stream) yield fromBinary(method.output, part as Buffer);
      } catch (error) {
        throw toError(error);
      } finally {
        stream.cancel();
      }
    },
    async isServing() {
      return readServingStatus(await call('/grpc.health.v1.Health/Check', new Uint8Array())) === serving;
    },
    close: () => client.close(),
  };
}

/** HealthCheckResponse.ServingStatus.SERVING */
const serving = 1;

/** The one field of HealthCheckResponse. */
function readServingStatus(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let value = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) value = reader.int32();
    else reader.skip(wireType, field);
  }
  return value;
}

function pathOf({ parent, name }: { readonly parent: { readonly typeName: string }; readonly name: string }): string {
  return `/${parent.typeName}/${name}`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function parseAddress(address: string): string {
  if (/^unix:.+/.test(address) || /^(\[[0-9A-Fa-f:.]+\]|[^:/\s]+):\d{1,5}$/.test(address)) return address;
  const message = `--address ${JSON.stringify(address)} is not an address; write host:port or unix:/path`;
  throw new PosternError('INVALID_OPTION', message, { field: '--address' });
}

/** What grpc-js throws, as the one error type. */
function toPosternError(error: unknown, address: string, timeoutMs: number): PosternError {
  const { code, details = messageOf(error), metadata } = error as Partial<ServiceError>;
  const sent = readErrorInfo(metadata);
  if (sent !== undefined) return new PosternError(sent.code, details, sent.metadata, error);
  switch (code) {
    case status.UNAVAILABLE: {
      const why = /E[A-Z]{4,}/.exec(details)?.[0] ?? details;
      const what = `cannot reach a sidecar at ${address} (${why})`;
      const hint = 'start one with "postern serve", name another with --address, or ask a file with --policy';
      return new PosternError('NOT_READY', `${what}; ${hint}`, {}, error);
    }
    case status.DEADLINE_EXCEEDED: {
      const message = `the sidecar at ${address} gave no answer within ${timeoutMs} ms; try again, or raise --timeout`;
      return new PosternError('NOT_READY', message, {}, error);
    }
    case status.UNIMPLEMENTED: {
      const message = `what listens at ${address} does not know this question; is it Postern, and of this version?`;
      return new PosternError('INVALID_OPTION', message, { field: '--address' }, error);
    }
    default:
      return new PosternError('INTERNAL', `${address}: ${details}`, {}, error);
  }
}

function readErrorInfo(metadata: Metadata | undefined) {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  for (const detail of fromBinary(StatusSchema, bytes).details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info?.domain === errorDomain && info.reason in statuses) {
      return { code: info.reason as ErrorCode, metadata: info.metadata };
    }
  }
  return undefined;
}
