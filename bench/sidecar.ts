/** A sidecar under measurement: the real command, as its users start it, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Child {
  readonly port: number;
  readonly httpPort: number;
  /** The counters that /metrics shows, by name, summed over labels. */
  metrics(): Promise<Map<string, number>>;
  stop(): Promise<void>;
}

/** Starts `postern serve` on free ports and waits until it is ready. */
export async function startSidecar(...flags: string[]): Promise<Child> {
  const child = spawn(
    process.execPath,
    [
      'bin/postern.js',
      'serve',
      '--grpc-address=127.0.0.1:0',
      '--http-address=127.0.0.1:0',
      '--log-format=json',
      ...flags,
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said: string[] = [];
  let listening: Record<string, unknown> = {};
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    said.push(line);
    const entry = parseLine(line);
    if (entry?.msg === 'listening') listening = entry;
    if (entry?.msg !== 'ready') continue;
    // Keep reading, or the child blocks on a full pipe.
    child.stderr?.resume();
    const port = Number((listening.grpc as string).split(':').pop());
    const httpPort = Number((listening.http as string).split(':').pop());
    return { port, httpPort, metrics: () => readMetrics(httpPort), stop: () => stop(child) };
  }
  throw new Error(`the sidecar ended before it was ready:\n${said.join('\n')}`);
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

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
