/** Runs the real `postern` as a child process. Each start costs some tenths of a second: keep them few. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const posternPath = join(import.meta.dirname, '../../bin/postern.js');

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. */
export async function postern(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = startPostern(args, options);
  child.stdin?.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

/** Starts it; whoever does ends it. */
export function startPostern(args: readonly string[], { cwd, env = {} }: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, [posternPath, ...args], { cwd, env: { ...cleanEnvironment(), ...env } });
}

/** Without what would change how it prints, or whom it asks. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(POSTERN_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS)/.test(name),
  );
  return Object.fromEntries(entries);
}
