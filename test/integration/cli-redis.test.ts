// apply, diff, export and tail, against a real Redis.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { examplePolicy } from '../cli/example-policy.ts';
import { cleanEnvironment, postern, posternPath, startPostern } from '../cli/postern.ts';
import { describeWithOwnRedis, sharedRedisUrl, startRedis } from '../setup/redis-server.ts';

let directory = '';
let redis = '';
let tenantCount = 0;

const run = (...args: string[]) => postern(args, { cwd: directory, env: { POSTERN_REDIS: redis } });
const newTenant = () => `cli-${process.pid}-${++tenantCount}`;

beforeAll(async () => {
  redis = sharedRedisUrl();
  directory = await mkdtemp(join(tmpdir(), 'postern-cli-redis-'));
  await writeFile(join(directory, 'policy.yaml'), examplePolicy);
  const changed = examplePolicy.replace('doc:write', 'doc:delete').replace(/^.*mallory.*\n/m, '');
  await writeFile(join(directory, 'changed.yaml'), changed);
});

afterAll(() => rm(directory, { recursive: true }));

describe('apply', () => {
  test('shows the plan, commits it, and then finds nothing to do', async () => {
    const tenant = newTenant();
    const first = await run('apply', 'policy.yaml', '--tenant', tenant, '--yes', '--why', 'release 7');
    expect(first.stdout).toMatch(
      /\+ role editor, permissions doc:write, includes viewer\n[\s\S]*\n16 to add, 0 to change, 0 to remove\napplied 16 changes: revision \w+\.1\.\w+\n$/,
    );
    expect(first.code).toBe(0);
    const again = await run('apply', 'policy.yaml', '--tenant', tenant);
    expect(again).toMatchObject({ code: 0, stdout: 'No changes.\n' });
    const second = await run('apply', 'changed.yaml', '--tenant', tenant, '--yes', '--json');
    expect(JSON.parse(second.stdout)).toMatchObject({ tenant, added: 0, changed: 1, removed: 1, applied: true });
    const store = createRedisStore(parseRedisUrl(redis));
    try {
      const head = await store.head(tenant);
      expect(head?.number).toBe(2);
      const [applied] = (await store.changesSince(tenant, { epoch: head?.epoch ?? '', number: 0 }, 1)) ?? [];
      expect(applied).toMatchObject({ why: 'release 7', by: expect.stringContaining('postern apply') });
    } finally {
      await store.close();
    }
  });

  test('writes nothing in a dry run, and refuses to guess where there is nobody to ask', async () => {
    const tenant = newTenant();
    const dry = await run('apply', 'policy.yaml', '--tenant', tenant, '--dry-run');
    expect(dry.stdout).toMatch(/\n16 to add, 0 to change, 0 to remove\n$/);
    expect(dry.stderr).toContain('is empty; nothing was written');
    const unasked = await run('apply', 'policy.yaml', '--tenant', tenant);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('there is no terminal to ask on; add --yes');
    expect((await run('export', '--tenant', tenant)).code).toBe(2);
  });

  test('of an invalid policy does not even look for Redis', async () => {
    await writeFile(
      join(directory, 'broken.yaml'),
      'version: 1\nbindings: [{ subject: user:a, role: r, scope: x:1 }]\n',
    );
    const { code, stderr } = await run('apply', 'broken.yaml', '--redis', 'redis://127.0.0.1:1', '--yes');
    expect(code).toBe(3);
    expect(stderr).toContain('broken.yaml:2:');
  });

  test('never prints the password of a URL', async () => {
    const url = 'redis://bob:hunter2@127.0.0.1:1';
    const away = await run('apply', 'policy.yaml', '--redis', url, '--yes', '--debug');
    expect(away.code).toBe(4);
    expect(away.stderr).toContain('redis://127.0.0.1:1/0');
    const wrong = await run('apply', 'policy.yaml', '--redis', `${url}:x`, '--yes', '--debug');
    expect(wrong.code).toBe(2);
    expect(away.stderr + away.stdout + wrong.stderr + wrong.stdout).not.toContain('hunter2');
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasScript)('apply on a terminal', () => {
  /** util-linux's script gives the command a terminal, and ends as it ends. */
  function applyOnTerminal(tenant: string) {
    const command = `'${process.execPath}' '${posternPath}' apply policy.yaml --tenant ${tenant}`;
    const env = { ...cleanEnvironment(), POSTERN_REDIS: redis };
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: directory, env });
    let output = '';
    const asked = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        output += String(chunk);
        if (output.includes('[y/N]')) resolve();
      });
    });
    const ended = once(child, 'close').then(([code]) => ({ code: code as number, output }));
    return { asked, ended, answer: (text: string) => child.stdin.end(`${text}\n`) };
  }

  test('asks, and takes no for an answer', async () => {
    const tenant = newTenant();
    const terminal = applyOnTerminal(tenant);
    await terminal.asked;
    terminal.answer('n');
    const { code, output } = await terminal.ended;
    expect(code).toBe(1);
    expect(output).toContain('not confirmed; nothing was written');
  });

  test('commits nothing when somebody else committed while it asked', async () => {
    const tenant = newTenant();
    const terminal = applyOnTerminal(tenant);
    await terminal.asked;
    expect((await run('apply', 'changed.yaml', '--tenant', tenant, '--yes')).code).toBe(0);
    terminal.answer('y');
    const { code, output } = await terminal.ended;
    expect(code).toBe(5);
    expect(output).toContain('nothing was written');
    expect((await run('diff', redis, 'changed.yaml', '--tenant', tenant, '--exit-code')).code).toBe(0);
  });
});

describe('export', () => {
  test('gives a file that apply takes again without a change, from a file or a pipe', async () => {
    const tenant = newTenant();
    await run('apply', 'policy.yaml', '--tenant', tenant, '--yes');
    const [printed, written] = await Promise.all([
      run('export', '--tenant', tenant),
      run('export', '--tenant', tenant, '-o', 'out.yaml'),
    ]);
    expect(written).toMatchObject({ code: 0, stdout: '' });
    expect(await readFile(join(directory, 'out.yaml'), 'utf8')).toBe(printed.stdout);
    expect((await run('apply', 'out.yaml', '--tenant', tenant)).stdout).toBe('No changes.\n');
    const piped = ['apply', '-', '--tenant', tenant, '--redis', redis];
    expect((await postern(piped, { input: printed.stdout })).stdout).toBe('No changes.\n');
  });

  test('of a tenant that is not there is an error, not an empty policy', async () => {
    const { code, stdout, stderr } = await run('export', '--tenant', newTenant());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('(UNKNOWN_TENANT)');
  });
});

function recordLine(seq: number, allowed: boolean, subject = 'user:alice', tenant = 'default'): string {
  return `${JSON.stringify({
    id: `01JD00000000000000000000${String(seq).padStart(2, '0')}`,
    instance: 'test',
    seq,
    time: `2026-06-01T12:00:${String(seq).padStart(2, '0')}.000Z`,
    tenant,
    subject,
    action: 'read',
    object: 'doc:42',
    allowed,
    reason: allowed ? 'ALLOWED' : 'NO_ROLE',
    ...(allowed ? { binding: [subject, 'editor', 'doc:42', 'allow'] } : {}),
    revision: 'e.1',
    mode: 'enforce',
    source: 'check',
  })}\n`;
}

describe('tail', () => {
  test('shows what is in the stream, filtered, for people and as it is stored', async () => {
    const tenant = newTenant();
    const connection = connect(parseRedisUrl(redis));
    const denial = recordLine(2, false, 'user:bob', tenant);
    await createDecisionAppender(connection).append(tenant, recordLine(1, true, 'user:alice', tenant) + denial);
    connection.close();
    const args = ['tail', '--no-follow', '--tenant', tenant];
    const [all, denied, since] = await Promise.all([
      run(...args),
      run(...args, '--denied', '--json'),
      run(...args, '--since', '2026-06-01T12:00:02Z'),
    ]);
    const lines = [
      '2026-06-01T12:00:01.000Z allowed user:alice read doc:42  ALLOWED by user:alice editor on doc:42',
      '2026-06-01T12:00:02.000Z denied  user:bob read doc:42  NO_ROLE',
    ];
    expect(all).toEqual({ code: 0, stdout: `${lines.join('\n')}\n`, stderr: '' });
    expect(denied.stdout).toBe(denial);
    expect(since.stdout).toBe(`${lines[1]}\n`);
  });

  test('of a directory follows what is written, and ends with 130 on Ctrl-C', async () => {
    const log = join(directory, 'decisions.ndjson');
    await writeFile(log, recordLine(1, true) + recordLine(2, false));
    const child = startPostern(['tail', '--dir', log, '--denied'], { cwd: directory });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    const ended = once(child, 'exit');
    expect((await lines.next()).value).toBe('2026-06-01T12:00:02.000Z denied  user:alice read doc:42  NO_ROLE');
    await writeFile(log, recordLine(3, false, 'user:bob'), { flag: 'a' });
    expect((await lines.next()).value).toContain('user:bob');
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
  });

  test('of what is not there, or holds nothing that was asked for, says so', async () => {
    const nowhere = join(directory, 'nowhere');
    const [missing, empty] = await Promise.all([
      postern(['tail', '--dir', nowhere, '--no-follow']),
      run('tail', '--no-follow', '--tenant', newTenant()),
    ]);
    expect(missing).toMatchObject({ code: 4, stdout: '' });
    expect(missing.stderr).toContain(`there is no decision log at ${nowhere}; run this where the sidecar runs`);
    expect(empty).toEqual({ code: 0, stdout: '', stderr: 'no decision in the log matches\n' });
  });

  test('ends quietly when its reader has seen enough', async () => {
    const log = join(directory, 'many.ndjson');
    const lines = Array.from({ length: 59 }, (_, i) => recordLine(i + 1, true));
    await writeFile(log, Array.from({ length: 200 }, () => lines.join('')).join(''));
    const command = `'${process.execPath}' '${posternPath}' tail --dir ${log} --all --no-follow | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', env: cleanEnvironment() });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0');
  });
});

describeWithOwnRedis('tail', () => {
  test('goes on when Redis restarts', async () => {
    const server = await startRedis({ persistent: true });
    const connection = connect(parseRedisUrl(server.url));
    const appender = createDecisionAppender(connection);
    await appender.append('default', recordLine(1, true));
    const child = startPostern(['tail', '--redis', server.url]);
    try {
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toContain(
        '12:00:01.000Z allowed user:alice read doc:42  ALLOWED by user:alice editor',
      );
      await server.restart();
      await expect
        .poll(() =>
          appender.append('default', recordLine(2, false)).then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
      expect((await lines.next()).value).toContain('12:00:02.000Z denied');
    } finally {
      child.kill('SIGINT');
      connection.close();
      await server.stop();
    }
  });
});
