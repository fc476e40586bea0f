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
import { BadRequestSchema, ErrorInfoSchema, StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { type ErrorCode, type FieldProblem, messageOf, PosternError } from '../model/errors.ts';
import { errorDomain, statuses } from '../server/errors.ts';

export interface ClientOptions {
  /** "host:port" or "unix:/path". */
  readonly address: string;
  /** For each call, from its start to its end. */
  readonly timeoutMs: number;
  /** PEM; undefined speaks plain HTTP/2. */
  readonly tls?: TlsFiles;
  /** A bearer token, sent with every call. It must not reach a message. */
  readonly token?: string;
}

export interface TlsFiles {
  /** Who signs certificates of sidecars; undefined: whom Node trusts. */
  readonly ca: Buffer | undefined;
  /** What to show to the sidecar: certificate and key, or neither. */
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Of a stream that goes on for as long as both want. */
export interface StreamLimits {
  /** How long nothing may come, in milliseconds: then the connection is given up. In place of the deadline. */
  readonly silenceMs: number;
  /** Ends the stream without an error. */
  readonly signal: AbortSignal;
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
    limits?: StreamLimits,
  ): AsyncGenerator<MessageShape<O>, void>;
  /** What grpc.health.v1 says of the whole server. */
  isServing(): Promise<boolean>;
  close(): void;
}

/** Connects when first used. @throws PosternError INVALID_OPTION */
export function createClient({ address, timeoutMs, tls, token }: ClientOptions): Client {
  const client = new GrpcClient(parseAddress(address), toChannelCredentials(tls), {
    // A sidecar is beside its caller; a proxy for the web must not come in between.
    'grpc.enable_http_proxy': 0,
    'grpc.max_receive_message_length': -1,
  });
  const toError = (error: unknown) =>
    toPosternError(error, { address, timeoutMs, isTls: tls !== undefined, isAdmin: token !== undefined });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const callOptions = () => ({ deadline: Date.now() + timeoutMs });
  const call = (path: string, request: Uint8Array) =>
    new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path, asBuffer, asIs, request, metadata, callOptions(), (error, bytes) =>
        error === null && bytes !== undefined ? resolve(bytes) : reject(toError(error)),
      );
    });
  return {
    async unary(method, request) {
      const bytes = await call(pathOf(method), toBinary(method.input, create(method.input, request)));
      return fromBinary(method.output, bytes);
    },
    async *stream(method, request, limits) {
      const bytes = toBinary(method.input, create(method.input, request));
      const options = limits === undefined ? callOptions() : {};
      const stream = client.makeServerStreamRequest(pathOf(method), asBuffer, asIs, bytes, metadata, options);
      const silence = limits && watchSilence(limits.silenceMs, () => stream.cancel());
      const end = () => void stream.cancel();
      limits?.signal.addEventListener('abort', end, { once: true });
      try {
        for await (const part of stream) {
          silence?.heard();
          yield fromBinary(method.output, part as Buffer);
        }
      } catch (error) {
        if (limits?.signal.aborted === true) return;
        throw silence?.isOver() === true ? lost(address, limits as StreamLimits) : toError(error);
      } finally {
        limits?.signal.removeEventListener('abort', end);
        silence?.stop();
        stream.cancel();
      }
    },
    async isServing() {
      return readServingStatus(await call('/grpc.health.v1.Health/Check', new Uint8Array())) === serving;
    },
    close: () => client.close(),
  };
}

/** Calls back when nothing was heard for so long. */
function watchSilence(ms: number, onSilence: () => void) {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    onSilence();
  }, ms);
  return { heard: () => void timer.refresh(), isOver: () => isOver, stop: () => clearTimeout(timer) };
}

function lost(address: string, { silenceMs }: StreamLimits): PosternError {
  return new PosternError('NOT_READY', `nothing came from ${address} for ${silenceMs} ms; the connection is given up`);
}

function toChannelCredentials(tls: TlsFiles | undefined) {
  if (tls === undefined) return credentials.createInsecure();
  // The library names an IP address to TLS as it names a host; Node warns of that, and whoever calls can do nothing.
  process.noDeprecation = true;
  try {
    return credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
  } catch (error) {
    const message = `the files of --tls-ca, --tls-cert and --tls-key cannot be used: ${messageOf(error)}`;
    throw new PosternError('INVALID_OPTION', message, { field: '--tls-cert' }, error);
  }
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

interface Peer {
  readonly address: string;
  readonly timeoutMs: number;
  readonly isTls: boolean;
  /** Then no file answers in the place of a sidecar. */
  readonly isAdmin: boolean;
}

/** What grpc-js throws, as the one error type. */
function toPosternError(error: unknown, { address, timeoutMs, isTls, isAdmin }: Peer): PosternError {
  const { code, details = messageOf(error), metadata } = error as Partial<ServiceError>;
  const sent = readDetails(metadata);
  if (sent !== undefined) return new PosternError(sent.code, details, sent.metadata, error, sent.problems);
  switch (code) {
    case status.UNAVAILABLE: {
      const [, last = details] = /Last error: (?:Error: )?(.*?)\.? Resolution note/s.exec(details) ?? [];
      if (isTls && /SSL routines:.*(wrong version number|packet length too long)/s.test(last)) {
        const message = `the sidecar at ${address} does not speak TLS: leave --tls-ca out, and --tls-cert with --tls-key`;
        return new PosternError('INVALID_OPTION', message, { field: '--tls-ca' }, error);
      }
      const why = explainConnection(last);
      const what = `cannot reach a sidecar at ${address} (${why})`;
      const ways = [
        'start one with "postern serve"',
        'name another with --address',
        ...(isTls || address.startsWith('unix:') ? [] : ['add --tls-ca where it speaks TLS']),
        ...(isAdmin ? [] : ['ask a file with --policy']),
      ];
      const hint = `${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}`;
      return new PosternError('NOT_READY', `${what}; ${hint}`, {}, error);
    }
    case status.DEADLINE_EXCEEDED: {
      const message = `the sidecar at ${address} gave no answer within ${timeoutMs} ms; try again, or raise --timeout`;
      return new PosternError('NOT_READY', message, {}, error);
    }
    case status.UNIMPLEMENTED: {
      const hint = 'is it Postern, of this version, and for administration started with --admin-auth?';
      const message = `what listens at ${address} does not know this question; ${hint}`;
      return new PosternError('INVALID_OPTION', message, { field: '--address' }, error);
    }
    default:
      return new PosternError('INTERNAL', `${address}: ${details}`, {}, error);
  }
}

/** In a few words, on one line: "ECONNREFUSED", "certificate required". */
function explainConnection(error: string): string {
  const [, reason] = /SSL routines:[^:]*:([^:]+):/.exec(error) ?? [];
  return reason ?? /\bE[A-Z]{4,}\b/.exec(error)?.[0] ?? error.replace(/\s+/g, ' ').trim();
}

function readDetails(metadata: Metadata | undefined) {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  const { details } = fromBinary(StatusSchema, bytes);
  const info = details.map((detail) => anyUnpack(detail, ErrorInfoSchema)).find((found) => found !== undefined);
  if (info?.domain !== errorDomain || !(info.reason in statuses)) return undefined;
  const problems = details.flatMap((detail): FieldProblem[] => {
    const violations = anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? [];
    return violations.map(({ field, description }) => ({ field, message: description }));
  });
  return { code: info.reason as ErrorCode, metadata: info.metadata, problems };
}
