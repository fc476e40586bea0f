/**
 * One TCP port for HTTP/1.1 and HTTP/2 without TLS: the first bytes of a
 * connection say which it is, and it is handed to the server for that.
 */
import { createServer as createHttp1Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { bindError, formatAddress, type HostPort } from '../address.ts';
import type { AnyRequest, AnyResponse } from './probes.ts';

/** Beginning of the HTTP/2 connection preface; no HTTP/1 method begins like it. */
const http2Preface = Buffer.from('PRI * HTTP/2.0');
/** A connection that says nothing, or a request whose headers do not end, is closed after this. */
const headersTimeoutMs = 10_000;
/** The longest that a request may take to arrive. */
const requestTimeoutMs = 60_000;

export interface HttpListener {
  readonly address: HostPort;
  /** Takes no new connections and closes idle ones; resolves when the last is closed. */
  drain(): Promise<void>;
  /** Closes what is left. */
  destroy(): void;
}

/**
 * @param maxConcurrentStreams Calls that one HTTP/2 connection may have open.
 * @throws PosternError INVALID_OPTION where the address cannot be bound.
 */
export async function listenHttp(
  wanted: HostPort,
  maxConcurrentStreams: number,
  handler: (request: AnyRequest, response: AnyResponse) => void,
): Promise<HttpListener> {
  let draining = false;
  const http1 = createHttp1Server({ headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }, handler);
  http1.on('request', (_request, response: ServerResponse) => {
    response.once('close', () => {
      if (draining) setImmediate(() => http1.closeIdleConnections());
    });
  });
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams } }, handler);
  const sockets = new Set<Socket>();
  /** Those that have not said yet which protocol they speak. */
  const silent = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();

  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  // A peer that breaks the protocol ends its own connection, and nothing else.
  http2.on('sessionError', () => undefined);

  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      silent.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    silent.add(socket);
    detect(socket, (isHttp2) => {
      silent.delete(socket);
      (isHttp2 ? http2 : http1).emit('connection', socket);
    });
  });
  // This is when an HTTP/1 server begins to watch its connections: their timeouts, and which are idle.
  http1.emit('listening');
  const address = await new Promise<HostPort>((resolve, reject) => {
    listener.once('error', (error) => {
      http1.close();
      reject(bindError(formatAddress(wanted), 'http-address', error));
    });
    listener.listen(wanted.port, wanted.host, () => {
      const bound = listener.address();
      resolve({ host: wanted.host, port: typeof bound === 'object' && bound !== null ? bound.port : wanted.port });
    });
  });

  return {
    address,
    drain() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      if (!draining) {
        draining = true;
        for (const session of sessions) session.close();
        for (const socket of silent) socket.destroy();
        // Closes idle connections and stops watching; it never listened itself.
        http1.close();
      }
      return closed;
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function detect(socket: Socket, found: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), headersTimeoutMs);
  socket.once('close', () => clearTimeout(timer));
  const read = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, http2Preface.length);
    const matches = seen.subarray(0, compared).equals(http2Preface.subarray(0, compared));
    if (matches && compared < http2Preface.length) return;
    socket.off('readable', read);
    clearTimeout(timer);
    socket.unshift(seen);
    found(matches);
  };
  socket.on('readable', read);
}
