/** Load over HTTP/2 from h2load (Debian package nghttp2-client), which costs less CPU than any client in Node. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Load {
  readonly port: number;
  /** "/postern.v1.DecisionService/Check" */
  readonly path: string;
  /** A file with the request body; see writeBody. */
  readonly body: string;
  readonly requests: number;
  readonly clients: number;
  /** Requests in flight for each client. */
  readonly streams: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly seconds: number;
  /** Bytes of response bodies, all together. */
  readonly bodyBytes: number;
}

/** Sends the load once. @throws Error where a request failed or h2load is not there */
export async function h2load(load: Load): Promise<LoadResult> {
  const { stdout } = await run('h2load', [
    ...['-n', String(load.requests), '-c', String(load.clients), '-m', String(load.streams), '-t', '1'],
    ...['-w', '24', '-W', '26', '-d', load.body, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    `http://127.0.0.1:${load.port}${load.path}`,
  ]).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Error('h2load is missing; install it: apt-get install nghttp2-client');
    throw error;
  });
  const rate = /finished in ([\d.]+)(us|ms|s), ([\d.]+) req\/s/.exec(stdout);
  const outcome = /(\d+) succeeded, (\d+) failed, (\d+) errored/.exec(stdout);
  const bytes = /\((\d+)\) data/.exec(stdout);
  if (rate === null || outcome === null || bytes === null) throw new Error(`h2load printed no figures:\n${stdout}`);
  if (outcome[1] !== String(load.requests))
    throw new Error(`h2load: only ${outcome[1]} of ${load.requests} succeeded:\n${stdout}`);
  const unit = { us: 1e-6, ms: 1e-3, s: 1 }[rate[2] as 'us' | 'ms' | 's'];
  return { requestsPerSecond: Number(rate[3]), seconds: Number(rate[1]) * unit, bodyBytes: Number(bytes[1]) };
}

/** Whether h2load can be run here. */
export async function hasH2load(): Promise<boolean> {
  return run('h2load', ['--version']).then(
    () => true,
    () => false,
  );
}

/** The gRPC frame of one message. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

/** Writes messages, framed, as the body of a request; returns the path. */
export async function writeBody(path: string, messages: readonly Uint8Array[]): Promise<string> {
  await writeFile(path, Buffer.concat(messages.map(frame)));
  return path;
}
