/**
 * How Redis is reached, from what an operator writes: the URL, and files for what does not belong into one. Called by
 * the sidecar and by the commands that reach Redis themselves. Files are read once; no message holds what is in them.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { messageOf, PosternError } from '../../model/errors.ts';
import { explainFileError } from '../../policy-file/load.ts';
import type { ConnectionOptions } from './connection.ts';
import { parseRedisUrl, type RedisTarget } from './target.ts';

/** The options of config/redis-options.ts, as they were written: paths and names. */
export interface RedisSettings {
  readonly redis: string;
  readonly redisCa?: string | undefined;
  readonly redisCert?: string | undefined;
  readonly redisKey?: string | undefined;
  readonly redisUsername?: string | undefined;
  readonly redisPasswordFile?: string | undefined;
  readonly redisSentinelUsername?: string | undefined;
  readonly redisSentinelPasswordFile?: string | undefined;
}

export interface RedisAccess {
  readonly target: RedisTarget;
  readonly options: ConnectionOptions;
}

/** @throws PosternError INVALID_OPTION, naming the option that is wrong, does not fit the others, or has a file that is */
export async function readRedisAccess(settings: RedisSettings): Promise<RedisAccess> {
  const target = parseRedisUrl(settings.redis, '--redis');
  checkFit(settings, target);
  const password = await readPassword('redis-password-file', settings.redisPasswordFile);
  const sentinelPassword = await readPassword('redis-sentinel-password-file', settings.redisSentinelPasswordFile);
  const { redisSentinelUsername } = settings;
  return {
    target: {
      ...target,
      username: settings.redisUsername ?? target.username,
      password: password ?? target.password,
    },
    options: {
      ...(target.tls ? { tls: await readTls(settings) } : {}),
      ...(redisSentinelUsername === undefined ? {} : { sentinelUsername: redisSentinelUsername }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    },
  };
}

function checkFit(settings: RedisSettings, target: RedisTarget): void {
  const { redisCa, redisCert, redisKey, redisUsername, redisPasswordFile } = settings;
  const tls = { 'redis-ca': redisCa, 'redis-cert': redisCert, 'redis-key': redisKey };
  for (const [option, path] of Object.entries(tls)) {
    if (path === undefined || target.tls) continue;
    throw wrong(option, 'needs --redis with rediss://: without TLS nothing is encrypted, and nobody is verified');
  }
  if (redisCert !== undefined && redisKey === undefined) throw wrong('redis-cert', 'needs --redis-key');
  if (redisKey !== undefined && redisCert === undefined) throw wrong('redis-key', 'needs --redis-cert');
  const twice = 'says what the URL of --redis says, too; take it out of one of them';
  if (redisUsername !== undefined && target.username !== undefined) throw wrong('redis-username', twice);
  if (redisPasswordFile !== undefined && target.password !== undefined) throw wrong('redis-password-file', twice);
  if (target.kind === 'sentinel') return;
  const alone = 'needs --redis with redis+sentinel://';
  if (settings.redisSentinelUsername !== undefined) throw wrong('redis-sentinel-username', alone);
  if (settings.redisSentinelPasswordFile !== undefined) throw wrong('redis-sentinel-password-file', alone);
}

async function readTls({
  redisCa,
  redisCert,
  redisKey,
}: RedisSettings): Promise<NonNullable<ConnectionOptions['tls']>> {
  const ca = await read('redis-ca', redisCa);
  const cert = await read('redis-cert', redisCert);
  const key = await read('redis-key', redisKey);
  // OpenSSL takes a file without a certificate for a list of none.
  attempt('redis-ca', redisCa, 'holds no certificate in PEM', () => ca && new X509Certificate(ca));
  attempt('redis-cert', redisCert, 'holds no certificate in PEM', () => cert && new X509Certificate(cert));
  const problem = 'is not the private key, in PEM and without a passphrase, of --redis-cert';
  const pair = cert === undefined || key === undefined ? {} : { cert, key };
  attempt('redis-key', redisKey, problem, () => createSecureContext(pair));
  return { ...(ca === undefined ? {} : { ca }), ...pair };
}

async function readPassword(option: string, path: string | undefined): Promise<string | undefined> {
  const text = await read(option, path);
  // Editors and `echo` end a file with a new line, which is no part of a password.
  const password = text?.replace(/\r?\n$/, '');
  if (password === '') throw wrong(option, `${path} is empty`);
  return password;
}

async function read(option: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw wrong(option, `${path} cannot be read: ${explainFileError(error)}`, error);
  }
}

function attempt(option: string, path: string | undefined, problem: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw wrong(option, `${path} ${problem} (${messageOf(error)})`, error);
  }
}

function wrong(option: string, problem: string, cause?: unknown): PosternError {
  return new PosternError('INVALID_OPTION', `--${option} ${problem}`, { field: `--${option}` }, cause);
}
