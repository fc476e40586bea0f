/** A sidecar under measurement: the real command, as its users start it, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SERVING_FLAG } from '../bin/exec.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A line of the sidecar's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly httpPort: number;
  /** When it began to listen, in milliseconds since 1970. */
  readonly listeningMs: number;
  /** From before it was started until it said that it is ready, in milliseconds. */
  readonly readyMs: number;
  /** The next line of its log with this message. */
  logged(message: string): Promise<LogLine>;
  /** The counters that /metrics shows, by name, summed over labels. */
  metrics(): Promise<Map<string, number>>;
  stop(): Promise<void>;
}

/** Starts `postern serve` on free ports and waits until it is ready. */
export function startSidecar(...flags: string[]): Promise<Child> {
  return launchSidecar([], flags);
}

/**
 * The same with flags for Node itself, and a channel to what they import.
 * @throws Error where it ends before it is ready, with what it said
 */
export async function launchSidecar(nodeFlags: readonly string[], flags: readonly string[]): Promise<Child> {
  const startedMs = performance.now();
  const addresses = ['--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0'];
  const child = spawn(
    process.execPath,
    [SERVING_FLAG, ...nodeFlags, 'bin/postern.js', 'serve', ...addresses, '--log-format=json', ...flags],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  const log = new EventEmitter();
  const said: string[] = [];
  let isReady = false;
  // It is read to its end, or the child blocks on a full pipe.
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    const entry = parseLine(line);
    if (!isReady) said.push(line);
    log.emit(`said ${entry?.msg}`, entry);
  });
  const logged = async (message: string): Promise<LogLine> => (await once(log, `said ${message}`))[0];
  const ended = once(lines, 'close').then(() => {
    throw new Error(`the sidecar ended before it was ready:\n${said.join('\n')}`);
  });
  ended.catch(() => {}); // It also ends when it is stopped.
  const [listening] = await Promise.race([Promise.all([logged('listening'), logged('ready')]), ended]);
  isReady = true;
  const portOf = (address: unknown) => Number(String(address).split(':').pop());
  const httpPort = portOf(listening.http);
  return {
    process: child,
    port: portOf(listening.grpc),
    httpPort,
    listeningMs: Date.parse(String(listening.time)),
    readyMs: performance.now() - startedMs,
    logged,
    metrics: () => readMetrics(httpPort),
    stop: () => stop(child),
  };
}

/** Starts a script that prints its port as its first line. */
export async function startScript(script: string, ...args: string[]): Promise<{ port: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
  return { port: Number(line), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function readMetrics(port: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const sums = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^([a-z_]+)(?:\{[^}]*\})? (\S+)$/gm)) {
    sums.set(name as string, (sums.get(name as string) ?? 0) + Number(value));
  }
  return sums;
}

function parseLine(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
