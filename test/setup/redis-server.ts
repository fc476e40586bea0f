// Real redis-server processes for tests, each on a port of its own and in a directory of its own.
// Called by test files and by the global setup. No server outlives the process that started it, however that process
// ends: a small shell waits at the other end of a pipe and kills the server when the pipe closes.
// It must never touch a server that it did not start.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { describe, inject } from 'vitest';
import { findRedisServer } from '../../scripts/redis.js';
import type { Certificate } from '../authn/x509.ts';
import { redisAuthority, redisClientTls } from './redis-tls.ts';

export interface RedisOptions {
  /** Keep data over `restart()` and, with every write synced, over `kill()`. Default: nothing is kept. */
  readonly persistent?: boolean;
  /** A port that must be used, for example of a server that was there before. Default: a free one. */
  readonly port?: number;
  /** Further directives, as in redis.conf: `{ 'maxmemory': '10mb' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Run as a Sentinel; what it watches is told by commands, and kept over `restart()`. */
  readonly sentinel?: boolean;
  /** Who may ask whether it is ready, where the default user may not. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Speak TLS and nothing else, with this certificate, to replicas and to other nodes, too; clients need one by `redisAuthority()`. */
  readonly tls?: Certificate;
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Its directory: removed by `stop()`. */
  readonly directory: string;
  /** Ends it as an operator would, and removes its directory. Idempotent. */
  stop(): Promise<void>;
  /** Ends it as a crash would; `restart()` brings it back. Idempotent. */
  kill(): Promise<void>;
  /** Starts it anew on the same port and directory, ending it as an operator would where it still runs. */
  restart(): Promise<void>;
  /** Freezes it: connections stay open and nothing answers, as in a network partition. */
  pause(): void;
  /** Ends `pause()`. */
  resume(): void;
}

interface Running {
  readonly pid: number;
  readonly ended: Promise<void>;
  end(signal: 'TERM' | 'KILL'): Promise<void>;
}

const READY_MS = 15_000;
const ATTEMPTS = 10;
const sentinelFile = 'sentinel.conf';
const certificateFiles = ['ca.pem', 'cert.pem', 'key.pem'] as const;
/** The nodes of a Cluster talk to each other on a port that is 10,000 higher. */
const highestOfCluster = 55_535;

// Ended by what arrives on stdin: the name of a signal, or its end, when the process that wanted the server is gone.
// Its own output is closed, so that the end of the server's output is the end of the server.
const GUARD = `
directory=$1; shift
"$@" </dev/null 3>&- & pid=$!
trap '' INT TERM HUP
echo "$pid" >&3
exec 3>&- >&- 2>&-
if read -r signal; then kill -s "$signal" "$pid"; wait "$pid"; else kill -s KILL "$pid"; wait "$pid"; rm -rf "$directory"; fi
`;

/** Whether this machine has a redis-server that tests can start; false only where REDIS_URL stands in for one. */
export const canStartRedis = findRedisServer() !== undefined;

/** `describe` for tests that start servers of their own: shown as skipped where there is no redis-server. */
export const describeWithOwnRedis = describe.skipIf(!canStartRedis);

/** The same for what Redis has since version 7, and Valkey always: permissions of single keys. */
export const describeWithRedis7 = describe.skipIf(!canStartRedis || majorVersion() < 7);

/** The URL of the run's shared server. Only in projects with the global setup redis.ts. */
export function sharedRedisUrl(): string {
  return inject('redisUrl');
}

function majorVersion(): number {
  const said = spawnSync(findRedisServer() ?? '', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  return Number(/ v=(\d+)/.exec(said)?.[1]);
}

/** Starts a server and waits until it answers. Throws with the server's own words where it does not come up. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = findRedisServer();
  if (program === undefined) throw new Error('no redis-server on the PATH: guard this test with describeWithOwnRedis');
  const directory = await mkdtemp(join(tmpdir(), 'postern-redis-'));
  try {
    // A Sentinel writes what it learns into its file, and does not start without one.
    if (options.sentinel) await writeFile(join(directory, sentinelFile), '');
    if (options.tls) await writeCertificates(directory, options.tls);
    const { port, running } = await startOnSomePort(program, directory, options);
    return toServer(program, directory, port, options, running);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function toServer(
  program: string,
  directory: string,
  port: number,
  options: RedisOptions,
  first: Running,
): RedisServer {
  let running: Running | undefined = first;
  const end = async (signal: 'TERM' | 'KILL') => {
    const ending = running;
    running = undefined;
    await ending?.end(signal);
  };
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    if (running !== undefined) process.kill(running.pid, name);
  };
  return {
    port,
    url: `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    directory,
    stop: async () => {
      signal('SIGCONT');
      await end('TERM');
      await rm(directory, { recursive: true, force: true });
    },
    kill: () => end('KILL'),
    restart: async () => {
      await end('TERM');
      running = await launch(program, directory, port, options);
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
  };
}

async function startOnSomePort(program: string, directory: string, options: RedisOptions) {
  for (let attempt = 1; ; attempt++) {
    const port =
      options.port ??
      (await findFreePort(options.config?.['cluster-enabled'] === 'yes' ? highestOfCluster : undefined));
    try {
      return { port, running: await launch(program, directory, port, options) };
    } catch (error) {
      // Between finding a free port and listening on it, somebody else may take it.
      const clash = error instanceof Error && /address already in use/i.test(error.message);
      if (!clash || options.port !== undefined || attempt === ATTEMPTS) throw error;
    }
  }
}

async function launch(program: string, directory: string, port: number, options: RedisOptions): Promise<Running> {
  const running = await spawnGuarded(program, directory, toArguments(directory, port, options));
  const giveUp = new AbortController();
  try {
    await Promise.race([
      untilReady(port, running.pid, options, giveUp.signal),
      running.ended.then(() => Promise.reject(new Error(`redis-server ended at once:\n${running.output()}`))),
    ]);
    return running;
  } catch (error) {
    await running.end('KILL');
    throw error;
  } finally {
    giveUp.abort();
  }
}

function toArguments(directory: string, port: number, options: RedisOptions): string[] {
  const { persistent = false, config = {}, sentinel = false } = options;
  const keep = persistent ? { save: '', appendonly: 'yes', appendfsync: 'always' } : { save: '', appendonly: 'no' };
  const directives = {
    ...(options.tls ? toTlsDirectives(directory, port) : { port: String(port) }),
    bind: '127.0.0.1',
    dir: directory,
    ...(sentinel ? {} : keep),
    ...config,
  };
  const words = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);
  return sentinel ? [join(directory, sentinelFile), '--sentinel', ...words] : words;
}

function toTlsDirectives(directory: string, port: number) {
  const [ca, cert, key] = certificateFiles.map((name) => join(directory, name)) as [string, string, string];
  const files = { 'tls-ca-cert-file': ca, 'tls-cert-file': cert, 'tls-key-file': key };
  return { port: '0', 'tls-port': String(port), 'tls-replication': 'yes', 'tls-cluster': 'yes', ...files };
}

async function writeCertificates(directory: string, { cert, key }: Certificate): Promise<void> {
  const texts = [redisAuthority().cert, cert, key];
  await Promise.all(certificateFiles.map((name, i) => writeFile(join(directory, name), texts[i] ?? '')));
}

async function spawnGuarded(program: string, directory: string, args: readonly string[]) {
  // A group of its own: Ctrl-C in a terminal reaches the tests, and only they decide when the server ends.
  const guard = spawn('/bin/sh', ['-c', GUARD, 'redis-guard', directory, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const gone = new Promise<void>((resolve) => guard.once('close', () => resolve()));
  let output = '';
  const ended = new Promise<void>((resolve) => guard.stdout.once('close', () => resolve()));
  for (const stream of [guard.stdout, guard.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  guard.stdin.on('error', () => {}); // The guard may be gone already; that is what was wanted.
  const pid = Number(await readPid(guard));
  const end = async (signal: 'TERM' | 'KILL') => {
    guard.stdin.end(`${signal}\n`);
    await gone;
  };
  return { pid, ended, end, output: () => output.trim() };
}

async function readPid(guard: ChildProcess): Promise<string> {
  const channel = guard.stdio[3];
  if (channel === null || channel === undefined || !('read' in channel)) throw new Error('the guard has no channel');
  const [pid] = await Promise.all([text(channel), once(guard, 'spawn')]);
  if (pid === '') throw new Error('the guard of redis-server could not start');
  return pid;
}

/** A port of this machine that nobody listens on at this moment. */
export async function findFreePort(highest = 65_535): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port');
  return address.port <= highest ? address.port : findFreePort(highest);
}

/** Resolves when the server of this process answers PING with PONG; another one on the port does not count. */
async function untilReady(port: number, pid: number, options: RedisOptions, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_MS;
  let last = '';
  while (!signal.aborted && Date.now() < deadline) {
    last = await ask(port, options).catch((error: Error) => error.message);
    if (last.includes('+PONG\r\n') && last.includes(`\r\nprocess_id:${pid}\r\n`)) return;
    await delay(5, undefined, { signal }).catch(() => {});
  }
  if (!signal.aborted) throw new Error(`redis-server on port ${port} was not ready in ${READY_MS} ms: ${last}`);
}

async function ask(port: number, { auth, tls }: RedisOptions): Promise<string> {
  const address = { port, host: '127.0.0.1' };
  const socket = tls ? connectTls({ ...address, ...redisClientTls(), rejectUnauthorized: false }) : connectTcp(address);
  socket.setEncoding('utf8');
  socket.setTimeout(1000, () => socket.destroy(new Error('no answer in 1000 ms')));
  socket.once('connect', () => {
    socket.write(`${auth === undefined ? '' : `AUTH ${auth.username} ${auth.password}\r\n`}PING\r\nINFO server\r\n`);
  });
  let answer = '';
  // Not ended by QUIT, which a Sentinel does not know.
  for await (const part of socket) {
    answer += part;
    if (/^process_id:\d+\r\n/m.test(answer) || /^-.*\r\n/m.test(answer)) break;
  }
  return answer;
}
