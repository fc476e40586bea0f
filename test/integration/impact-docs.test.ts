// The commands of docs/impact.md, run as they are written against real sidecars, and what it says that they print.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { cleanEnvironment, posternPath, startPostern } from '../cli/postern.ts';
import { blockWith, readPage } from '../docs/pages.ts';
import { decisionRecord } from '../impact/records.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';

const page = readPage('docs/impact.md');
const policy = blockWith(page, 'yaml', 'role: editor');
const freePorts = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0', '--log-format', 'json'];
const patience = { timeout: 15_000, interval: 20 };
/** Each command is a process, which takes its time to start where the machine has other work. */
const slow = { timeout: 120_000 };
const sidecars: ChildProcess[] = [];
let redis: Redis;
let directory = '';
let environment: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  redis = new Redis(sharedRedisUrl());
  directory = await mkdtemp(join(tmpdir(), 'postern-impact-'));
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'postern'), `#!/bin/sh\nexec '${process.execPath}' '${posternPath}' "$@"\n`, {
    mode: 0o755,
  });
  environment = { ...cleanEnvironment(), PATH: `${bin}${delimiter}${process.env.PATH}` };
  await writeFile(join(directory, 'policy.yaml'), policy);
  await writeFile(join(directory, 'new.yaml'), blockWith(page, 'yaml', "'user:carol'"));
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all(sidecars.map(end));
  await rm(directory, { recursive: true, force: true });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = once(child, 'close');
  child.kill();
  await closed;
}

/** Starts a sidecar in the directory, and gives its address. */
async function serve(...args: string[]): Promise<string> {
  const child = startPostern(['serve', ...args, ...freePorts], { cwd: directory });
  sidecars.push(child);
  let said = '';
  child.stderr?.on('data', (data) => (said += String(data)));
  await vi.waitFor(() => expect(said).toContain('"msg":"ready"'), patience);
  return /"grpc":"([^"]+)"/.exec(said)?.[1] ?? '';
}

async function run(line: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn('bash', ['-c', line], { cwd: directory, env: { ...environment, ...env } });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

const linesWith = (part: string) => blockWith(page, 'sh', part).trim().split('\n');

/** Without what differs between any two runs. */
function plain(output: string): string {
  return output
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b0[0-9A-HJKMNP-TV-Z]{25}\b/g, 'DECISION')
    .replaceAll(/\b[0-9a-f]+\.\d+\.[0-9a-f]+\b/g, 'REVISION')
    .replaceAll(/number \d+ of \S+/g, 'number 1 of INSTANCE')
    .replaceAll(/asked by \S+/g, 'asked by CALLER');
}

describe('before a change', () => {
  beforeAll(async () => {
    const address = await serve('--policy', 'policy.yaml');
    for (const line of linesWith('postern check')) await run(line, { POSTERN_ADDRESS: address });
    await end(sidecars[0] as ChildProcess);
  }, slow.timeout);

  test('the replay prints what the page shows', async () => {
    const [line = ''] = linesWith('--policy new.yaml --since 24h');
    const { code, stdout, stderr } = await run(line);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(plain(stdout)).toBe(blockWith(page, 'text', 'decided again under'));
  });

  test.for(linesWith('--group-by subject').map((line) => [line] as const))('%s', async ([line]) => {
    const { code, stderr } = await run(line);
    expect(code, stderr).toBeLessThan(2);
  });
});

test('a decision is explained at its revision, and by an exported policy', slow, async () => {
  const tenant = `impact-${process.pid}-${Date.now()}`;
  const there = `--redis ${sharedRedisUrl()} --tenant ${tenant}`;
  expect(await run(`postern apply policy.yaml ${there} --yes`)).toMatchObject({ code: 0 });
  const here = (line: string, decision: string) =>
    line
      .replace('redis://localhost', sharedRedisUrl())
      .replace(/\bacme\b(?!\.)/, tenant)
      .replace('DECISION', decision);
  const [exporting = '', byFile = ''] = linesWith('postern export');
  expect(await run(here(exporting, ''))).toMatchObject({ code: 0 });
  expect(await readFile(join(directory, 'acme.yaml'), 'utf8')).toMatch(/^# tenant \S+ at revision \S+\nversion: 1\n/);

  const address = await serve(...there.split(' '), '--decision-log', 'redis');
  const asked = await run('postern check user:bob write doc:plan', { POSTERN_ADDRESS: address });
  const decision = /decision (\w{26})/.exec(asked.stdout)?.[1] ?? '';
  await run(`postern apply new.yaml ${there} --yes`);
  const recorded = async () => JSON.stringify(await redis.xrange(tenantKeys(tenant).decisions, '-', '+'));
  await vi.waitFor(async () => expect(await recorded()).toContain(decision), patience);

  const [line = ''] = linesWith('postern audit explain DECISION --redis redis://localhost --tenant acme\n');
  const { code, stdout, stderr } = await run(here(line, decision));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(plain(stdout)).toBe(blockWith(page, 'text', 'this is what was recorded'));

  const again = await run(here(byFile, decision));
  expect(again.code, again.stderr).toBe(0);
  expect(again.stdout).toContain('explained at acme.yaml, exported at revision ');
  const wrong = await run(here(byFile, decision).replace('acme.yaml', 'new.yaml'));
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain('differs from the record: allowed was true, and is false\n');
  expect(wrong.stdout).toContain('the graph may be another one than that which decided\n');
});

test('changes are proposed for the graph in Redis, by a log in Redis or on disk', slow, async () => {
  const tenant = `impact-changes-${process.pid}-${Date.now()}`;
  const there = `--redis ${sharedRedisUrl()} --tenant ${tenant}`;
  await run(`postern apply policy.yaml ${there} --yes`);
  const changes =
    "- grant: { subject: 'user:carol', role: viewer, on: 'folder:plans' }\n- remove: { group: 'group:engineering', member: 'user:bob' }\n";
  await writeFile(join(directory, 'changes.yaml'), changes);
  const line = JSON.stringify({
    ...decisionRecord(1, { subject: 'user:bob', action: 'write', object: 'doc:plan' }),
    tenant,
  });
  const other = JSON.stringify({
    ...decisionRecord(2, { subject: 'user:carol', object: 'doc:plan', allowed: false, reason: 'NO_ROLE' }),
    tenant,
  });
  await writeFile(join(directory, 'some.ndjson'), `${line}\n${other}\n`);
  const onDisk = await run(`postern replay --changes changes.yaml ${there} --dir some.ndjson`);
  expect(onDisk.code, onDisk.stderr).toBe(1);
  expect(onDisk.stdout).toContain(`under changes.yaml on tenant ${tenant} in redis://`);
  expect(onDisk.stdout).toContain('2 would change: 1 newly denied, 1 newly allowed (100 %)');
  await redis.xadd(tenantKeys(tenant).decisions, '*', 'record', line);
  const inRedis = await run(`postern replay --changes changes.yaml ${there} --json`);
  expect(JSON.parse(inRedis.stdout)).toMatchObject({ decisions: 1, newlyDenied: 1 });
  expect((await run(`postern replay --changes changes.yaml ${there} --since 1m`)).stdout).toMatch(/^0 decisions, /);
  const refused = await run(`postern replay --changes acme.yaml ${there}`);
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('1 problem in the changes') });
});
