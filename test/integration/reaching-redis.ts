// A sidecar that reaches a Redis of the test as its flags say, and what of that Redis an administrator sees. Called by the
// tests of how Redis is reached; what they begin ends after each test.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { formatAddress } from '../../src/server/address.ts';
import { startSidecar } from '../../src/sidecar/sidecar.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { createLogger, type Logger } from '../../src/telemetry/logger.ts';
import { createGrpcClient, unary } from '../server/grpc-client.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { steady } from './following.ts';

/** The Redis users that are shipped; none has a password. */
export const aclFile = join(import.meta.dirname, '../../deploy/redis/users.acl');
/** Of every user of these tests. */
export const password = 's3cret';
/** Ended after each test, the last one first. */
export const closers: (() => Promise<unknown>)[] = [];
const silent = createLogger({ level: 'silent', format: 'json' });
const question = { subject: 'user:steady', action: 'read', object: 'doc:1' };
let directory: string;

/** A file of the test by its name. */
export const at = (name: string) => join(directory, name);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-redis-access-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(at('password'), `${password}\n`);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A sidecar with these flags, and what it answers. */
export async function start(flags: Readonly<Record<string, string>>, logger: Logger = silent) {
  const decisionLogSpoolDir = await mkdtemp(join(directory, 'spool-'));
  const all = { grpcAddress: '127.0.0.1:0', http: false, decisionLogSpoolDir, ...flags };
  const sidecar = await startSidecar(
    parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'a' }),
    logger,
  );
  closers.push(() => sidecar.close(0));
  const { grpcAddress } = sidecar.servers;
  const client = createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '');
  closers.push(async () => client.close());
  return { sidecar, ask: () => unary(client, DecisionService.method.check, question) };
}

/** What allows the question. */
export async function write(url: string): Promise<void> {
  const store = createRedisStore(parseRedisUrl(url));
  closers.push(() => store.close());
  await store.commit('default', steady);
}

/** Of decisions, not of the records that begin and end a log. */
export const decisionsIn = (url: string) =>
  asAdmin(url, async (admin) => {
    const entries = await admin.xrange('postern:{default}:decisions', '-', '+');
    return entries.filter(([, fields]) => fields[1]?.startsWith('{"id":')).length;
  });

export async function switchOn(url: string, user = 'postern-sidecar'): Promise<void> {
  await asAdmin(url, (admin) => admin.acl('SETUSER', user, 'on', `>${password}`));
}

export const asSidecar = () => ({ redisUsername: 'postern-sidecar', redisPasswordFile: at('password') });

/** It answers by the commit of this number, and its decision is where it belongs. */
export async function expectServing({ ask }: Awaited<ReturnType<typeof start>>, revision: number, url: string) {
  await vi.waitFor(
    async () => {
      const before = await decisionsIn(url);
      const answer = await ask();
      expect(answer).toMatchObject({
        decision: { allowed: true },
        revision: expect.stringMatching(`\\.${revision}\\.`),
      });
      await vi.waitFor(async () => expect(await decisionsIn(url)).toBeGreaterThan(before), { timeout: 1000 });
    },
    { timeout: 15_000, interval: 20 },
  );
}
