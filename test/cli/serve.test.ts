// `postern serve` as it is started by hand; what it serves is tested elsewhere.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examplePolicy } from './example-policy.ts';
import { postern, startPostern } from './postern.ts';

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-serve-'));
  await writeFile(join(directory, 'policy.yaml'), examplePolicy);
});

afterAll(() => rm(directory, { recursive: true }));

test('options that are wrong are refused all at once, whatever they come from', async () => {
  await writeFile(join(directory, 'postern.yaml'), 'http-adress: 127.0.0.1:0\nsocket-mode: "99"\n');
  const { code, stdout, stderr } = await postern(
    ['serve', '--config', 'postern.yaml', '--redis', 'redis://a:hunter2@x:y'],
    {
      cwd: directory,
      env: { POSTERN_LOG_LEVEL: 'debgu', POSTERN_ADDRESS: 'for the other commands' },
    },
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const word of ['http-adress', 'http-address', 'socket-mode', 'did you mean debug', '--redis (not shown)']) {
    expect(stderr).toContain(word);
  }
  expect(stderr).not.toContain('hunter2');
  expect(stderr).not.toContain('POSTERN_ADDRESS');
});

test('a sidecar serves what check asks and tail shows, and drains on SIGTERM', async () => {
  const socket = join(directory, 'postern.sock');
  const policy = ['--policy', 'policy.yaml', '--no-grpc', '--no-http', '--socket', socket];
  const child = startPostern(['serve', ...policy], { cwd: directory });
  try {
    await expect
      .poll(() => postern(['health', '--address', `unix:${socket}`]).then(({ code }) => code), { timeout: 10_000 })
      .toBe(0);
    const asked = await postern(['check', 'user:eve', 'read', 'doc:42', '--address', `unix:${socket}`]);
    expect(asked.code).toBe(1);
    await expect
      .poll(() => postern(['tail', '--no-follow'], { cwd: directory }).then(({ stdout }) => stdout), {
        timeout: 10_000,
      })
      .toMatch(/ denied {2}user:eve read doc:42 {2}NO_ROLE\n$/);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
