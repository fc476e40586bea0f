// Installs the dependencies of the lock file where they are missing or old. Called first by every script that
// needs them, so it runs on Node 20 with nothing installed. It must never install anything outside node_modules.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode } from '../bin/exec.js';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const marker = join(root, 'node_modules', '.postern-installed');

/** Every line that the scripts say for themselves goes to stderr: stdout belongs to what they run. */
export function say(/** @type {string} */ line) {
  console.error(`postern: ${line}`);
}

/**
 * Says what went wrong and ends the process.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  say(message);
  process.exit(1);
}

/** Runs `npm ci` unless node_modules was made from this lock file on this kind of machine. */
export function ensureDependencies() {
  const wanted = installKey();
  if (wanted !== readMarker()) {
    say('installing the dependencies of package-lock.json into node_modules (npm ci) ...');
    const startedAt = Date.now();
    npmCi();
    mkdirSync(dirname(marker), { recursive: true });
    writeFileSync(marker, `${wanted}\n`);
    say(`dependencies installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
  }
}

/** The path of the Node that runs Postern's own code. Ends the process where there is none. */
export function pinnedNode() {
  return (
    findNode(root) ??
    fail(
      `node_modules holds no Node and ${process.versions.node} is too old. The npm package "node" installs it by a ` +
        'script: run `npm ci --ignore-scripts=false`, or start this with Node 22.18 or later.',
    )
  );
}

/** The environment without the checkout's own binaries on the PATH: `npm ci` is about to replace them. */
function outsideEnvironment() {
  const inside = join(root, 'node_modules');
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.startsWith(inside));
  return { ...process.env, PATH: path.join(delimiter) };
}

function installKey() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  return `${hash} ${process.platform}-${process.arch}`;
}

function readMarker() {
  try {
    return readFileSync(marker, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function npmCi() {
  // Level "error" keeps quiet that the system's Node is older than what some packages ask for: they run on the
  // pinned one. Development dependencies are asked for by name, because NODE_ENV=production would leave them out.
  const args = ['ci', '--loglevel=error', '--include=dev', '--no-audit', '--no-fund', '--no-update-notifier'];
  const result = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    env: outsideEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.error !== undefined) fail(`cannot run npm (${result.error.message}). Install npm 10 or later.`);
  if (result.status === 0) return;
  // npm closes a refused install with the manual of the command.
  const [output = ''] = `${result.stdout}${result.stderr}`.trim().split(/^.*Clean install a project$/m);
  if (output !== '') console.error(output);
  fail(diagnose(output));
}

/** One sentence of what to do about a failed `npm ci`. */
function diagnose(/** @type {string} */ output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/.test(output)) {
    return 'npm ci failed: the package registry cannot be reached. Check the network, the proxy and `npm config get registry`, then try again.';
  }
  if (/Missing: \S+@ from lock file/.test(output)) {
    return 'npm ci failed: package-lock.json lacks optional packages of other platforms, and this registry does not have them. Restore their entries in the lock file.';
  }
  if (/EUSAGE/.test(output)) {
    return 'npm ci failed: package.json and package-lock.json differ. Run `npm install` and commit the lock file.';
  }
  if (/EACCES|EPERM|EROFS/.test(output)) return `npm ci failed: ${root} cannot be written. Check its owner.`;
  if (/ENOSPC/.test(output)) return 'npm ci failed: the disk is full. About 500 MB are needed.';
  return 'npm ci failed; its own words are above.';
}
