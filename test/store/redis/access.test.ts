// What an operator writes about reaching Redis: what does not fit is refused by name, and no secret is in what is said.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisSettings, readRedisAccess } from '../../../src/store/redis/access.ts';
import { createCertificate } from '../../authn/x509.ts';

let directory: string;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-access-'));
  const ca = createCertificate({ name: 'an authority' });
  const client = createCertificate({ name: 'a client', issuer: ca });
  const files = { ca: ca.cert, cert: client.cert, key: client.key, other: ca.key, words: 's3cret\n', empty: '\n' };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** File names stand for their paths. */
function settings(redis: string, rest: Omit<RedisSettings, 'redis'>): RedisSettings {
  const entries = Object.entries(rest).map(([key, value]) => [
    key,
    key.endsWith('sername') ? value : at(String(value)),
  ]);
  return { redis, ...Object.fromEntries(entries) };
}

test('files and names come beside the URL', async () => {
  const files = { redisCa: 'ca', redisCert: 'cert', redisKey: 'key', redisUsername: 'me', redisPasswordFile: 'words' };
  const { target, options } = await readRedisAccess(settings('rediss://r', files));
  expect(target).toMatchObject({ username: 'me', password: 's3cret', tls: true });
  expect(options.tls).toEqual({ ca: expect.any(String), cert: expect.any(String), key: expect.any(String) });
  const sentinel = { redisSentinelUsername: 'watch', redisSentinelPasswordFile: 'words' };
  expect((await readRedisAccess(settings('redis+sentinel://s/p', sentinel))).options).toEqual({
    sentinelUsername: 'watch',
    sentinelPassword: 's3cret',
  });
});

test.for<[url: string, rest: Omit<RedisSettings, 'redis'>, refused: RegExp]>([
  ['redis://r', { redisCa: 'ca' }, /^--redis-ca needs --redis with rediss:\/\//],
  ['rediss://r', { redisCert: 'cert' }, /^--redis-cert needs --redis-key/],
  ['rediss://r', { redisKey: 'key' }, /^--redis-key needs --redis-cert/],
  ['rediss://r', { redisCa: 'none' }, /^--redis-ca .*none cannot be read/],
  ['rediss://r', { redisCa: 'words' }, /^--redis-ca .*words holds no certificate/],
  ['rediss://r', { redisCert: 'cert', redisKey: 'other' }, /^--redis-key .*other is not the private key/],
  ['redis://me@r', { redisUsername: 'you' }, /^--redis-username says what the URL/],
  ['redis://:s3cret@r', { redisPasswordFile: 'words' }, /^--redis-password-file says what the URL/],
  ['redis://r', { redisPasswordFile: 'empty' }, /^--redis-password-file .*empty is empty/],
  ['redis://r', { redisSentinelUsername: 'me' }, /^--redis-sentinel-username needs/],
  ['redis+cluster://r', { redisSentinelPasswordFile: 'words' }, /^--redis-sentinel-password-file needs/],
])('%s with %j is refused', async ([url, rest, refused]) => {
  const error = await readRedisAccess(settings(url, rest)).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(refused) });
  expect(String(error)).not.toContain('s3cret');
});
