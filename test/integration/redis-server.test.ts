// The tests' own Redis servers: they must be what they say, and must never be left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import { ping } from '../../scripts/redis.js';
import { describeWithOwnRedis, type RedisServer, sharedRedisUrl, startRedis } from '../setup/redis-server.ts';

const started: RedisServer[] = [];

async function start(options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const server = await startRedis(options);
  started.push(server);
  return server;
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

test('the shared server answers', async () => {
  await expect(ping(sharedRedisUrl())).resolves.toBeUndefined();
});

describeWithOwnRedis('a server of its own', () => {
  test('ten started at once are ten servers', async () => {
    const servers = await Promise.all(Array.from({ length: 10 }, () => start()));
    const ports = new Set(servers.map((server) => server.port));
    expect(ports.size).toBe(10);
    await Promise.all(servers.map((server) => ping(server.url)));
  });

  test('a stopped one is gone with its directory, and stopping twice is stopping once', async () => {
    const server = await start();
    await server.stop();
    await server.stop();
    await expect(ping(server.url)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(server.directory)).toBe(false);
  });

  test.for([
    { persistent: true, kept: 'value' },
    { persistent: false, kept: null },
  ])('after a kill, persistent: $persistent keeps $kept', async ({ persistent, kept }) => {
    const server = await start({ persistent });
    await withClient(server.url, (client) => client.set('key', 'value'));
    await server.kill();
    await expect(ping(server.url)).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(await withClient(server.url, (client) => client.get('key'))).toBe(kept);
  });

  test('a paused one takes connections and does not answer, until it is resumed', async () => {
    const server = await start();
    server.pause();
    await expect(ping(server.url, 50)).rejects.toThrow('no answer in 50 ms');
    server.resume();
    await expect(ping(server.url)).resolves.toBeUndefined();
  });

  test('a port in use is refused with the words of the server', async () => {
    const server = await start();
    await expect(startRedis({ port: server.port })).rejects.toThrow(/address already in use/i);
  });

  test('one whose owner is killed does not outlive it', async () => {
    const script = `
      const { startRedis } = await import('./test/setup/redis-server.ts');
      const { directory, url } = await startRedis();
      console.log(JSON.stringify({ directory, url }));
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(owner.stdout, 'data');
    const { directory, url } = JSON.parse(String(line)) as { directory: string; url: string };
    const pid = await withClient(url, async (client) =>
      Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]),
    );
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await vi.waitFor(() => expect([isAlive(pid), existsSync(directory)]).toEqual([false, false]));
  });
});
