// Runs a child in this process's place: same streams, its signals passed on, its end mirrored.
// Called by bin/postern.js and the scripts; plain JavaScript, because it must run on Node 20 too.
// It must never decide what to run.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The oldest Node that runs TypeScript by itself and serves every dependency. */
export const OLDEST_NODE = [22, 18];

/**
 * The flag of Node with which a sidecar is started: small halves of the young generation. What a request leaves behind
 * is collected more often, and for a millisecond or two each time, where Node's own setting takes tens.
 */
export const SERVING_FLAG = '--max-semi-space-size=4';

/** @param {string} [version] like `22.18.0` */
export function isSupportedNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * The Node to run Postern with: the one pinned in the checkout, else the running one if it is new enough.
 * @param {string} root the checkout's or the package's directory
 * @returns {string | undefined} undefined where there is none
 */
export function findNode(root) {
  // The binary itself, not the link in .bin: an install without scripts leaves that link dangling.
  const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  return isSupportedNode() ? process.execPath : undefined;
}

/**
 * Starts `command`, hands it our streams and ends this process as the child ended.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function become(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: 'inherit', env });
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    // A terminal sends Ctrl-C to the whole group: passing it on as well would make one key press two.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const passed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];
  for (const signal of passed) process.on(signal, pass);
  child.once('error', (error) => {
    console.error(`postern: cannot run ${command}: ${error.message}`);
    process.exit(127);
  });
  child.once('exit', (code, signal) => {
    for (const name of passed) process.off(name, pass);
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
}
