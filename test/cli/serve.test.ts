// `postern serve` as it is started by hand; what it serves is tested elsewhere.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { createGrpcClient, unary } from '../server/grpc-client.ts';
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

describe('a sidecar that logs decisions to standard output', () => {
  async function startWithStdout(drainTimeout: string) {
    const socket = join(directory, `stdout-${drainTimeout}.sock`);
    const address = `unix:${socket}`;
    const log = ['--decision-log', 'stdout', '--drain-timeout', drainTimeout];
    const child = startPostern(
      ['serve', '--policy', 'policy.yaml', '--no-grpc', '--no-http', '--socket', socket, ...log],
      { cwd: directory },
    );
    const exited = once(child, 'exit');
    await expect
      .poll(() => postern(['health', '--address', address]).then(({ code }) => code), { timeout: 10_000 })
      .toBe(0);
    const check = () => postern(['check', 'user:eve', 'read', 'doc:42', '--address', address]);
    return { child, address, check, exited };
  }

  test('goes on answering when nobody is at the other end any more, and says so', async () => {
    const { child, check, exited } = await startWithStdout('100ms');
    try {
      let said = '';
      child.stderr?.on('data', (chunk) => (said += String(chunk)));
      child.stdout?.destroy();
      expect((await check()).code).toBe(1);
      await expect.poll(() => said, { timeout: 10_000 }).toContain('EPIPE');
      expect((await check()).code).toBe(1);
      child.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('ends within the drain timeout when nobody reads, and counts what was not written', async () => {
    const { child, address, exited } = await startWithStdout('200ms');
    try {
      const said = text(child.stderr as NodeJS.ReadableStream);
      // More than a pipe and the buffers of both ends hold.
      const client = createGrpcClient(address);
      const check = { subject: 'user:eve', action: 'read', object: 'doc:42' };
      for (let i = 0; i < 3; i++) {
        await unary(client, DecisionService.method.batchCheck, { checks: Array.from({ length: 5_000 }, () => check) });
      }
      client.close();
      child.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
      expect(await said).toMatch(/[0-9]+ decisions were not written/);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
