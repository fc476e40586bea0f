// Finds the Redis that the tests use, and installs redis-server where that is possible. Called by `npm test` and by
// the tests' global setup; plain JavaScript without packages, because the first of them runs on Node 20.
// It must never start a server, and never install one where REDIS_URL says which to use.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { delimiter, join } from 'node:path';
import { connect as connectTls } from 'node:tls';

const howToGetOne = 'Set REDIS_URL to a reachable Redis 6.2 or later, or put redis-server on the PATH';

/** @param {readonly string[]} names @returns {string | undefined} the first of them found on the PATH */
function findOnPath(names) {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== '');
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isProgram);
}

function isProgram(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of a server that tests may start by themselves, or undefined. */
export function findRedisServer() {
  return findOnPath(['redis-server', 'valkey-server']);
}

/**
 * Makes sure that there is a Redis to test against: REDIS_URL, then the PATH, then apt.
 * @returns {Promise<{ url: string | undefined, server: string | undefined }>} at least one of the two
 * @throws {Error} that says what to do, where there is none
 */
export async function ensureRedis() {
  const url = process.env.REDIS_URL || undefined;
  if (url !== undefined) {
    await ping(url).catch((error) => {
      throw new Error(`REDIS_URL names a Redis that does not answer (${error.message}). Start it, or unset REDIS_URL.`);
    });
    return { url, server: findRedisServer() };
  }
  if (findRedisServer() === undefined) installWithApt();
  return { url, server: findRedisServer() };
}

function installWithApt() {
  if (findOnPath(['apt-get']) === undefined) {
    throw new Error(`the tests need Redis, and there is neither redis-server nor apt-get here. ${howToGetOne}.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      `the tests need Redis, and only root can install it. ${howToGetOne} (\`sudo apt-get install redis-server\`).`,
    );
  }
  console.error('postern: no redis-server found: installing it with apt-get (this changes the system) ...');
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'redis-server']]) apt(args);
  if (findRedisServer() === undefined) {
    throw new Error(`apt-get installed redis-server, but it is not on the PATH. ${howToGetOne}.`);
  }
  console.error('postern: redis-server installed.');
}

function apt(/** @type {readonly string[]} */ args) {
  const result = spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    // The run level of a machine under repair: Debian then installs the service without starting it.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (result.status === 0) return;
  console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`.trim());
  throw new Error(`apt-get ${args[0]} failed; its own words are above. ${howToGetOne}.`);
}

/**
 * One PING, with the user and password of the URL.
 * @param {string} url redis: or rediss:
 * @param {number} [timeoutMs]
 * @returns {Promise<void>} rejects unless the answer is PONG
 */
export async function ping(url, timeoutMs = 3000) {
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw new Error(`not a redis:// URL: ${protocol}//...`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const credentials = [username || 'default', password].map(decodeURIComponent);
  const commands = password === '' ? [['PING']] : [['AUTH', ...credentials], ['PING']];
  const address = { host, port: Number(port || 6379) };
  const socket = protocol === 'rediss:' ? connectTls({ ...address, servername: host }) : connectTcp(address);
  try {
    await new Promise((resolve, reject) => {
      let answer = '';
      socket.setEncoding('utf8');
      socket.setTimeout(timeoutMs, () => reject(new Error(`no answer in ${timeoutMs} ms`)));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed without an answer')));
      socket.on('data', (text) => {
        answer += text;
        const refusal = /^-(.*)\r\n/m.exec(answer);
        if (refusal) reject(new Error(refusal[1]));
        else if (answer.endsWith('+PONG\r\n')) resolve(undefined);
      });
      socket.write(commands.map(encodeCommand).join(''));
    });
  } finally {
    socket.destroy();
  }
}

function encodeCommand(/** @type {readonly string[]} */ words) {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
