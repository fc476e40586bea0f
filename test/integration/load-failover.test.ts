// A load that a failover falls into: its two connections, one for the revision and one for the records, reach two servers.
// What it read is of neither, and must never be taken for a graph.
import { connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { loadFlat } from '../../src/store/redis/bulk/load-flat.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { describeWithOwnRedis, findFreePort, startRedis } from '../setup/redis-server.ts';
import { bindingOf, putOf } from '../store/records.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startWith(number: number): Promise<number> {
  const { url, port, stop } = await startRedis();
  closers.push(stop);
  const store = createRedisStore(parseRedisUrl(url));
  await store.commit('acme', [putOf(bindingOf(number))]);
  await store.close();
  return port;
}

/** One address behind which each connection reaches the server that is next; the last one serves all that follow. */
async function startFront(ports: readonly number[]): Promise<number> {
  let accepted = 0;
  const front = createServer((socket) => {
    const upstream = connect(ports[Math.min(accepted++, ports.length - 1)] ?? 0, '127.0.0.1');
    socket.pipe(upstream).pipe(socket);
    for (const end of [socket, upstream]) end.on('error', () => {});
  });
  const port = await findFreePort();
  await new Promise<void>((resolve) => front.listen(port, '127.0.0.1', resolve));
  closers.push(() => front.close());
  return port;
}

const load = (port: number) =>
  loadFlat({ target: parseRedisUrl(`redis://127.0.0.1:${port}`), connection: {}, tenant: 'acme', seed: 1 }, () => {});

describeWithOwnRedis('a load', () => {
  test('over two servers is none', async () => {
    const front = await startFront([await startWith(1), await startWith(2)]);
    await expect(load(front)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    // All further connections reach one of them.
    expect((await load(front)).revision.number).toBe(1);
  });
});
