// A Redis that speaks TLS and is reached the right way or, by mistake, another: what is said then, to whoever gives commands
// and whoever follows. Called by redis-tls-topologies.test.ts; what these begin ends after each test.
import { writeFile } from 'node:fs/promises';
import { beforeEach, expect, vi } from 'vitest';
import { type RedisSettings, readRedisAccess } from '../../src/store/redis/access.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { type Certificate, createCertificate } from '../authn/x509.ts';
import { type RedisServer, startRedis } from '../setup/redis-server.ts';
import { certificateByAuthority, redisClientTls } from '../setup/redis-tls.ts';
import { at, closers, password } from './reaching-redis.ts';

export type Flags = Record<string, string>;
/** What is wrong beside what is right: flags that stand for others, and where that is. */
export type Mistake = readonly [what: string, make: () => Promise<{ flags: Flags; where: string }>, says: RegExp];

export const expired = () => certificateByAuthority({ notBefore: new Date(0), notAfter: new Date(1e12) });
export const ofOtherName = () => certificateByAuthority({ sanIps: [], sanDns: ['redis.example'] });
export const ofName = () => certificateByAuthority({ sanIps: [], sanDns: ['localhost'] });
export const wrongAuthority = /self-signed certificate.*name its authority with --redis-ca/;
export const notTheirTime = /certificate has expired: .*renew it, or set the clocks right/;
export const otherName =
  /127\.0\.0\.1 is not in the cert's list: .*is for other names.*announce names instead of addresses/;
export const noCertificate = /name (it|one) with --redis-cert and --redis-key/;
export const lacks = (what: string) => new RegExp(`NOPERM.*${what}`);

beforeEach(async () => {
  const { ca, cert, key } = redisClientTls();
  const other = createCertificate({ name: 'another authority' }).cert;
  for (const [name, text] of Object.entries({ ca, cert, key, other })) await writeFile(at(name), text);
  await writeFile(at('wrong'), 'n0tthis');
});

export const certificates = () => ({ redisCa: at('ca'), redisCert: at('cert'), redisKey: at('key') });
export const named = (redis: string, user: string) => ({
  redis,
  ...certificates(),
  redisUsername: user,
  redisPasswordFile: at('password'),
});

export async function storeOf(flags: Flags) {
  const { target, options } = await readRedisAccess(flags as unknown as RedisSettings);
  const store = createRedisStore(target, options);
  closers.push(() => store.close());
  return store;
}

/** What commands and followers are told, which names the place and no password. */
export async function expectTold(flags: Flags, where: string, says: RegExp) {
  const store = await storeOf(flags);
  const told: string[] = [];
  const nothing = () => {};
  store.follow('default', {
    onConnected: nothing,
    onChangeSet: nothing,
    onHead: nothing,
    onDisconnected: (reason) => told.push(reason),
    onProblem: ({ message }) => told.push(message),
  });
  const error = await store.head('default').catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(says) });
  const { message } = error as Error;
  expect(message).toContain(where);
  await vi.waitFor(() => expect(told).not.toEqual([]));
  for (const text of [message, ...told]) expect(text).not.toMatch(new RegExp(`${password}|n0tthis`));
}

/** An own server beside the others. */
export async function oneMore(tls: Certificate, sentinel = false): Promise<RedisServer> {
  const server = await startRedis({ tls, sentinel });
  closers.push(() => server.stop());
  return server;
}

export const addressOf = ({ port }: RedisServer) => `127.0.0.1:${port}`;
