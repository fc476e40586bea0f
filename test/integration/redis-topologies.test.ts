// The tests' own Sentinels, Clusters and fault proxies: they must be what they say.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { ping } from '../../scripts/redis.js';
import { startFaultProxy } from '../setup/fault-proxy.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { startCluster } from '../setup/redis-cluster.ts';
import { startSentinel } from '../setup/redis-sentinel.ts';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';

const started: (() => Promise<unknown>)[] = [];
const kept = <T extends object>(one: T & ({ stop(): Promise<unknown> } | { close(): Promise<unknown> })): T => {
  started.push(() => ('stop' in one ? one.stop() : one.close()));
  return one;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((stop) => stop()));
});

const setKey = (url: string, value: string) => asAdmin(url, (admin) => admin.set('key', value));
const getKey = (url: string) => asAdmin(url, (admin) => admin.get('key'));

describeWithOwnRedis('Sentinels', () => {
  test('promote a replica when told', async () => {
    const sentinel = kept(await startSentinel());
    const first = await sentinel.primary();
    await setKey(first.url, 'a');
    await sentinel.untilReplicated();
    const second = await sentinel.failOver();
    expect(second).not.toBe(first);
    expect(await getKey(second.url)).toBe('a');
    await setKey(second.url, 'b');
    await sentinel.untilReplicated();
    expect(await getKey(first.url)).toBe('b');
  });

  test('promote one when the primary is gone, which lacks the last writes where replication had stopped', async () => {
    const sentinel = kept(await startSentinel());
    const first = await sentinel.primary();
    await setKey(first.url, 'kept');
    await sentinel.untilReplicated();
    await sentinel.stopReplication();
    await setKey(first.url, 'lost');
    await first.kill();
    const second = await sentinel.untilPrimaryIsNot(first);
    expect(await getKey(second.url)).toBe('kept');
  });
});

describeWithOwnRedis('a Cluster', () => {
  test('gives the slots of a master to its replica when told, and when the master is gone', async () => {
    const cluster = kept(await startCluster({ replicas: true }));
    const first = await cluster.masterOf('key');
    await setKey(first.url, 'a');
    const second = await cluster.failOver(first);
    expect(await cluster.masterOf('key')).toBe(second);
    await cluster.untilInOrder();
    await second.kill();
    const third = await cluster.untilMasterOfIsNot('key', second);
    expect(third).toBe(first);
    expect(await getKey(third.url)).toBe('a');
  });

  test('without replicas serves again when its master is back', async () => {
    const cluster = kept(await startCluster({ server: { persistent: true } }));
    const master = await cluster.masterOf('key');
    await setKey(master.url, 'a');
    await master.kill();
    await master.restart();
    await cluster.untilInOrder();
    expect(await getKey(master.url)).toBe('a');
  });
});

describeWithOwnRedis('a fault proxy', () => {
  test('passes everything, later where it delays, and nothing while it is silent', async () => {
    const server = kept(await startRedis());
    const proxy = kept(await startFaultProxy(server.port));
    const url = `redis://127.0.0.1:${proxy.port}`;
    await ping(url);
    proxy.delay(60);
    const began = performance.now();
    await ping(url);
    expect(performance.now() - began).toBeGreaterThanOrEqual(110);
    await proxy.restore();
    proxy.silence();
    await expect(ping(url, 50)).rejects.toThrow('no answer in 50 ms');
    const waiting = ping(url);
    await proxy.restore();
    await waiting;
  });

  test('cuts by RST or FIN, and refuses until it is restored', async () => {
    const server = kept(await startRedis());
    const proxy = kept(await startFaultProxy(server.port));
    const url = `redis://127.0.0.1:${proxy.port}`;
    const open = async () => {
      const socket = connect(proxy.port, '127.0.0.1');
      await once(socket, 'connect');
      await vi.waitFor(() => expect(proxy.connections()).toBe(1));
      return socket;
    };
    const reset = await open();
    const failed = once(reset, 'error');
    proxy.cut('reset');
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
    const ended = await open();
    const rest = text(ended);
    proxy.cut('end');
    expect(await rest).toBe('');
    await proxy.refuse();
    await expect(ping(url)).rejects.toThrow('ECONNREFUSED');
    await proxy.restore();
    await ping(url);
  });
});
