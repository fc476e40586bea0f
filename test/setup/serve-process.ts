// The real command as a process of its own: `postern serve`, which a test ends as an operator or a crash does.
// Called by tests of what survives a process. None outlives the tests, however those end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { SERVING_FLAG } from '../../bin/exec.js';
import { cleanEnvironment, posternPath } from '../cli/postern.ts';

export interface Serving {
  readonly address: string;
  /** Messages of its log so far. */
  readonly said: readonly string[];
  /** Resolves when it is ready; rejects with what it said where it ends before. */
  readonly ready: Promise<void>;
  /** Counters and gauges that /metrics shows, by name, summed over labels. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Memory that it occupies now. */
  residentBytes(): Promise<number>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Ends it as an operator does; resolves to its exit code. */
  stop(): Promise<number | null>;
}

export interface ServeOptions {
  /** A command before it, such as one that sets limits and then becomes what follows. */
  readonly within?: readonly string[];
}

interface Line {
  readonly msg: string;
  readonly grpc?: string;
  readonly http?: string;
}

// Sends on the signals that arrive on stdin by name; at its end, when the tests that wanted the process are gone, kills it,
// also where it did not end when it was told to. Its own output is closed, so that the end of the process's output is the
// end of the process.
const guard = `
exec 4<&0 </dev/null
"$@" 3>&- 4<&- & pid=$!
trap '' INT TERM HUP
echo "$pid" >&3
{ while read -r signal; do kill -s "$signal" "$pid"; done; kill -s KILL "$pid"; } <&4 3>&- >&- 2>&- & orders=$!
exec 3>&- 4<&- >&- 2>&-
wait "$pid"; code=$?
kill -s KILL "$orders"
exit "$code"
`;

/**
 * Starts it on free ports, and waits until it is ready.
 * @throws Error with what it said, where it ends before
 */
export async function serve(flags: readonly string[], options: ServeOptions = {}): Promise<Serving> {
  const serving = await serveUnready(flags, options);
  await serving.ready;
  return serving;
}

/** The same, but waits only until it listens. */
export async function serveUnready(flags: readonly string[], { within = [] }: ServeOptions = {}): Promise<Serving> {
  const addresses = ['--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0', '--log-format=json'];
  const own = [process.execPath, SERVING_FLAG, posternPath, 'serve', ...addresses, ...flags];
  const child = spawn('/bin/sh', ['-c', guard, 'serve-guard', ...within, ...own], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  const [orders, stderr, channel] = [child.stdin, child.stderr, child.stdio[3]] as [Writable, Readable, Readable];
  orders.on('error', () => {}); // The guard may be gone already.
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const [pid] = await once(createInterface({ input: channel }), 'line');
  const said: string[] = [];
  const listening = Promise.withResolvers<Line>();
  const ready = Promise.withResolvers<void>();
  const lines = createInterface({ input: stderr }).on('line', (text) => {
    const line = parsed(text);
    said.push(line.msg);
    if (line.msg === 'listening') listening.resolve(line);
    if (line.msg === 'ready') ready.resolve();
  });
  const end = (signal: 'TERM' | 'KILL') => {
    orders.write(`${signal}\n`);
    return ended;
  };
  const tooEarly = once(lines, 'close').then(async () => {
    const code = await end('TERM');
    throw new Error(`it ended with code ${code} before it was ready:\n${said.join('\n')}`);
  });
  tooEarly.catch(() => {}); // It also ends when it is stopped.
  const whenReady = Promise.race([ready.promise, tooEarly]);
  whenReady.catch(() => {}); // Not everybody waits for it.
  const { grpc = '', http = '' } = await Promise.race([listening.promise, tooEarly]);
  return {
    address: grpc,
    said,
    ready: whenReady,
    metrics: () => readMetrics(http),
    async residentBytes() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async kill() {
      await end('KILL');
    },
    stop: () => end('TERM'),
  };
}

async function readMetrics(http: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${http}/metrics`)).text();
  const sums = new Map<string, number>();
  for (const [, name = '', value] of text.matchAll(/^([a-z_]+)(?:\{[^}]*\})? (\S+)$/gm)) {
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return sums;
}

function parsed(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { msg: text };
  }
}
