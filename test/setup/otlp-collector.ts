// A collector of OTLP logs for tests: a real HTTP server that decodes protobuf by itself, from the field numbers of the
// specification, so that it agrees with no encoder by accident. Called by test files; it lives in the test's process.
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export interface CollectedRecord {
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Hexadecimal; empty where there is none. */
  readonly traceId: string;
  readonly spanId: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
}

export interface Answering {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Those of the request that are kept; all where it is absent and the status is 200, otherwise none. */
  readonly keep?: (record: CollectedRecord) => boolean;
  /** Hang up without an answer. */
  readonly hangUp?: true;
}

export interface Collector {
  readonly url: URL;
  /** In the order in which they came. */
  readonly records: CollectedRecord[];
  /** How many records each request had. */
  readonly requests: number[];
  /** How many stand now. */
  connections(): number;
  /** Headers of the last request. */
  readonly headers: IncomingHttpHeaders;
  /** How requests are answered from now on; without a function, all is taken. */
  answer(
    how?: (records: readonly CollectedRecord[], headers: IncomingHttpHeaders) => Answering | Promise<Answering>,
  ): void;
  /** Longer requests are answered with 413 before they have come in, and hung up on, as servers do. */
  limit(bytes: number): void;
  /** Ends every connection and listens no more; `start` comes back on the same port. Idempotent. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const taken: Answering = {};

/** @param tls Key and certificate, where it speaks TLS. */
export async function startCollector(tls?: { readonly key: string; readonly cert: string }): Promise<Collector> {
  const records: CollectedRecord[] = [];
  const requests: number[] = [];
  let headers: IncomingHttpHeaders = {};
  let maxBytes = Number.POSITIVE_INFINITY;
  let how: Parameters<Collector['answer']>[0];
  const sockets = new Set<Socket>();

  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    headers = request.headers;
    if (Number(headers['content-length']) > maxBytes) {
      response.writeHead(413, { connection: 'close' }).end('too large', () => request.socket.destroy());
      return;
    }
    const sent = decodeRequest(await buffer(request));
    requests.push(sent.length);
    const { status = 200, keep, hangUp, ...rest } = (await how?.(sent, request.headers)) ?? taken;
    if (keep !== undefined || status === 200) records.push(...sent.filter(keep ?? (() => true)));
    if (hangUp) {
      request.socket.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/x-protobuf', ...rest.headers });
    response.end(rest.body);
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    onRequest(request, response).catch((error: unknown) => {
      // A request that is not what the specification says must fail the test that sent it.
      response.writeHead(500).end(String(error));
    });
  };
  const listen = async (port: number): Promise<Server> => {
    const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };

  let server: Server | undefined = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${tls === undefined ? 'http' : 'https'}://localhost:${port}/v1/logs`),
    records,
    requests,
    connections: () => sockets.size,
    get headers() {
      return headers;
    },
    answer(next) {
      how = next;
    },
    limit(bytes) {
      maxBytes = bytes;
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      closing.close();
      for (const socket of sockets) socket.destroy();
      await once(closing, 'close');
    },
    async start() {
      server ??= await listen(port);
    },
  };
}

/** What a collector says when it has taken all but some. */
export function partialSuccess(rejected: number): Uint8Array {
  const partial = new BinaryWriter().tag(1, WireType.Varint).int64(rejected).tag(2, WireType.LengthDelimited);
  const inner = partial.string('some were not liked').finish();
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(inner).finish();
}

type Field = { readonly number: number; readonly value: Uint8Array | bigint };

function decodeRequest(bytes: Uint8Array): CollectedRecord[] {
  return messagesOf(bytes, 1).flatMap((resourceLogs) => {
    const resource = attributesOf(messagesOf(resourceLogs, 1)[0] ?? new Uint8Array(), 1);
    return messagesOf(resourceLogs, 2).flatMap((scopeLogs) => {
      const scope = textOf(messagesOf(messagesOf(scopeLogs, 1)[0] ?? new Uint8Array(), 1)[0]);
      return messagesOf(scopeLogs, 2).map((record) => ({ ...decodeRecord(record), resource, scope }));
    });
  });
}

function decodeRecord(bytes: Uint8Array): Omit<CollectedRecord, 'resource' | 'scope'> {
  const fields = fieldsOf(bytes);
  const bytesOf = (number: number) => fields.find((field) => field.number === number)?.value as Uint8Array | undefined;
  const numberOf = (number: number) => (fields.find((field) => field.number === number)?.value as bigint) ?? 0n;
  return {
    timeUnixNano: numberOf(1),
    severityNumber: Number(numberOf(2)),
    severityText: textOf(bytesOf(3)),
    body: anyValueOf(bytesOf(5)),
    attributes: attributesOf(bytes, 6),
    traceId: Buffer.from(bytesOf(9) ?? []).toString('hex'),
    spanId: Buffer.from(bytesOf(10) ?? []).toString('hex'),
    observedTimeUnixNano: numberOf(11),
    eventName: textOf(bytesOf(12)),
  };
}

function attributesOf(bytes: Uint8Array, number: number): Record<string, unknown> {
  return Object.fromEntries(
    messagesOf(bytes, number).map((pair) => [textOf(messagesOf(pair, 1)[0]), anyValueOf(messagesOf(pair, 2)[0])]),
  );
}

function anyValueOf(bytes: Uint8Array | undefined): unknown {
  const field = fieldsOf(bytes ?? new Uint8Array())[0];
  if (field === undefined) return undefined;
  if (field.number === 1) return textOf(field.value as Uint8Array);
  if (field.number === 2) return field.value !== 0n;
  if (field.number === 3) return Number(field.value);
  throw new Error(`a value of kind ${field.number}`);
}

function messagesOf(bytes: Uint8Array, number: number): Uint8Array[] {
  return fieldsOf(bytes)
    .filter((field) => field.number === number)
    .map((field) => field.value as Uint8Array);
}

function fieldsOf(bytes: Uint8Array): Field[] {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) fields.push({ number, value: reader.bytes() });
    else if (type === WireType.Varint) fields.push({ number, value: BigInt(reader.uint64()) });
    else if (type === WireType.Bit64) fields.push({ number, value: BigInt(reader.fixed64()) });
    else if (type === WireType.Bit32) fields.push({ number, value: BigInt(reader.fixed32()) });
    else throw new Error(`a field of wire type ${type}`);
  }
  return fields;
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? new Uint8Array());
}
