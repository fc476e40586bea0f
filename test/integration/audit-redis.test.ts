// postern audit on the streams of several tenants, as the auditor that deploy/redis/users.acl describes.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/decision-log/verify/report.ts';
import { type Connection, connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { postern } from '../cli/postern.ts';
import { ChainWriter } from '../decision-log/verify/chain-writer.ts';
import { describeWithRedis7, type RedisServer, startRedis } from '../setup/redis-server.ts';

const aclfile = join(import.meta.dirname, '../../deploy/redis/users.acl');
const toText = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const acme = new ChainWriter({ tenant: 'acme' }).start().decisions(30).seal().stop();
const two = ['i-1', 'i-2'].map((instance) => new ChainWriter({ instance }).start().decisions(20, `user:${instance}`));

describeWithRedis7('postern audit', () => {
  let server: RedisServer;
  let admin: Connection;
  let directory = '';
  let url = '';
  const run = (...args: string[]) => postern(['audit', ...args], { cwd: directory, env: { POSTERN_REDIS: url } });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-audit-redis-'));
    server = await startRedis({ config: { aclfile } });
    admin = connect(parseRedisUrl(server.url));
    await admin.ready();
    await admin.client.acl('SETUSER', 'postern-auditor', 'on', '>s3cret');
    await admin.client.sadd('postern:tenants', 'acme', 'default');
    const { append } = createDecisionAppender(admin);
    await append('acme', toText(acme.lines));
    // Two instances write to one stream, and a batch of the first comes again.
    for (let i = 0; i < 21; i += 7) {
      for (const { lines } of two) await append('default', toText(lines.slice(i, i + 7)));
    }
    await append('default', toText((two[0] as ChainWriter).lines.slice(7, 21)));
    url = server.url.replace('//', '//postern-auditor:s3cret@');
  });

  afterAll(async () => {
    admin.close();
    await server.stop();
    await rm(directory, { recursive: true });
  });

  test('verifies the streams of all tenants, or of those that are named', async () => {
    const all = await run('verify', '--tenant', '*', '--json');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    const { chains } = JSON.parse(all.stdout) as Report;
    expect(chains.map(({ tenant, instance, lines, repeats }) => [tenant, instance, lines, repeats])).toEqual([
      ['acme', 'i-1', 33, 0],
      ['default', 'i-1', 21, 14],
      ['default', 'i-2', 21, 0],
    ]);
    const one = await run('verify', '--tenant', 'acme', '--expect-last', acme.hash);
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nin order: 1 chain, 33 lines read\n$/) });
  });

  test('reads a directory and a Redis as one log', async () => {
    await writeFile(join(directory, 'decisions-i-1.ndjson'), toText(acme.lines.slice(0, 20)));
    const { code, stdout } = await run('verify', '--dir', '.', '--tenant', 'acme', '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Report).chains).toMatchObject([{ tenant: 'acme', lines: 33, repeats: 20 }]);
  });

  test('prints each record once, and copies what can be verified without the Redis', async () => {
    const query = await run('query', '--tenant', 'default', '--tenant', 'acme', '--subject', 'user:i-1', '--json');
    expect(query).toMatchObject({ code: 0, stderr: '' });
    expect(query.stdout.trim().split('\n')).toEqual((two[0] as ChainWriter).lines.slice(1));
    const copy = await run('export', '--tenant', '*', '--out', 'all.ndjson');
    expect(copy).toMatchObject({ code: 0, stdout: expect.stringContaining('89 lines of 3 chains') });
    expect((await readFile(join(directory, 'all.ndjson'), 'utf8')).startsWith(toText(acme.lines))).toBe(true);
    const again = await postern(['audit', 'verify', '--dir', 'all.ndjson'], { cwd: directory });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('in order: 3 chains, 89 lines read') });
  });

  test('names a stream and its entry where something was put in, and sees what was trimmed as that', async () => {
    await admin.client.xtrim('postern:{acme}:decisions', 'MAXLEN', 25);
    const trimmed = await run('verify', '--tenant', 'acme');
    expect(trimmed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('begins in the middle: what stood before number 8'),
    });
    const forged = (acme.lines[20] as string).replace('alice', 'mallory');
    const id = await admin.client.xadd('postern:{acme}:decisions', '*', 'record', forged);
    const found = await run('verify', '--tenant', 'acme');
    const where = `duplicated stream of tenant acme:${id}: tenant acme, instance i-1, number 20, id`;
    expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining(where) });
  });

  test('says that there is no answer where there is none', async () => {
    for (const tenant of ['acme', '*']) {
      const away = await run('verify', '--redis', 'redis://:s3cret@127.0.0.1:1', '--tenant', tenant);
      expect(away).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('(STORE_UNAVAILABLE)') });
      expect(away.stderr).not.toContain('s3cret');
    }
  });
});
