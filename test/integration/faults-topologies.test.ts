// A follower of a primary behind Sentinels, and of a Cluster, meets the loss of whoever holds its tenant: it ends at the
// store's state, and never once denies what is allowed throughout. One server alone is in faults.test.ts.
import { afterEach, expect, test, vi } from 'vitest';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { type ClusterOptions, type RedisCluster, startCluster } from '../setup/redis-cluster.ts';
import { type RedisSentinel, startSentinel } from '../setup/redis-sentinel.ts';
import { describeWithOwnRedis, type RedisServer } from '../setup/redis-server.ts';
import { type Following, follow, grant, quick, steady } from './following.ts';

const tenant = 'acme';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function begin(url: string): Promise<{ truth: Store; following: Following }> {
  const truth = createRedisStore(parseRedisUrl(url), quick);
  closers.push(() => truth.close());
  await truth.commit(tenant, steady);
  const following = await follow(url, tenant);
  closers.push(following.close);
  await following.until('connected');
  await following.untilAt(truth);
  return { truth, following };
}

/** Commits until it succeeds: while nobody holds the tenant, writers are refused. */
async function insist(store: Store, number: number): Promise<void> {
  await vi.waitFor(() => grant(store, tenant, number), { timeout: 15_000, interval: 20 });
}

describeWithOwnRedis('a follower behind Sentinels', () => {
  let sentinel: RedisSentinel;

  async function beginSentinel() {
    sentinel = await startSentinel();
    closers.push(() => sentinel.stop());
    const begun = await begin(sentinel.url);
    await sentinel.untilReplicated();
    return begun;
  }

  test('goes along when another server is made the primary', async () => {
    const { truth, following } = await beginSentinel();
    const first = await sentinel.primary();
    await sentinel.failOver();
    await insist(truth, 1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
    await vi.waitFor(async () => expect(await roleOf(first)).toBe('slave'), { timeout: 10_000 });
  });

  test('finds the new primary when the old one is gone, although one Sentinel is gone and another is frozen', async () => {
    const { truth, following } = await beginSentinel();
    const [first, second] = sentinel.sentinels as [RedisServer, RedisServer];
    const primary = await sentinel.primary();
    await primary.kill();
    await sentinel.untilPrimaryIsNot(primary);
    first.pause();
    closers.push(async () => first.resume());
    await second.kill();
    await insist(truth, 1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('leaves a primary that is frozen', async () => {
    const { truth, following } = await beginSentinel();
    const old = await sentinel.primary();
    old.pause();
    closers.push(async () => old.resume());
    await sentinel.untilPrimaryIsNot(old);
    await insist(truth, 1);
    await following.untilAt(truth);
    old.resume();
    await vi.waitFor(async () => expect(await roleOf(old)).toBe('slave'), { timeout: 10_000 });
    await insist(truth, 2);
    await following.untilAt(truth);
  });

  test('gives up what a failover lost', async () => {
    const { truth, following } = await beginSentinel();
    await losing(truth, following, 2);
    await following.untilAt(truth);
    expect(following.replica.current?.revision.number).toBe(1);
    await insist(truth, 9);
    await following.untilAt(truth);
  });

  test('gives up what a failover lost, although as much was committed anew before it looked', async () => {
    const { truth, following } = await beginSentinel();
    const primary = await losing(truth, following, 2);
    // On the new primary itself, so that it happens before anybody finds the way there.
    const direct = createRedisStore(parseRedisUrl(primary.url));
    closers.push(() => direct.close());
    await grant(direct, tenant, 7);
    await grant(direct, tenant, 8);
    await following.untilAt(truth);
    expect(following.replica.current?.revision.number).toBe(3);
  });

  /** The follower has commits that no replica has when the primary goes; returns the new one. */
  async function losing(truth: Store, following: Following, commits: number): Promise<RedisServer> {
    await sentinel.stopReplication();
    for (let n = 1; n <= commits; n++) await grant(truth, tenant, n);
    await following.untilAt(truth);
    const old = await sentinel.primary();
    await old.kill();
    return sentinel.untilPrimaryIsNot(old);
  }
});

describeWithOwnRedis('a follower of a Cluster', () => {
  let cluster: RedisCluster;

  async function beginCluster(options: ClusterOptions) {
    cluster = await startCluster(options);
    closers.push(() => cluster.stop());
    const begun = await begin(cluster.url);
    const master = await cluster.masterOf(`{${tenant}}`);
    if (options.replicas) await asAdmin(master.url, (admin) => admin.wait(1, 5000));
    return { ...begun, master };
  }

  test('finds the replica that takes the place of its master', async () => {
    const { truth, following, master } = await beginCluster({ replicas: true });
    await master.kill();
    await cluster.untilMasterOfIsNot(`{${tenant}}`, master);
    await insist(truth, 1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('leaves a master that is frozen', async () => {
    const { truth, following, master } = await beginCluster({ replicas: true });
    master.pause();
    closers.push(async () => master.resume());
    await cluster.untilMasterOfIsNot(`{${tenant}}`, master);
    await insist(truth, 1);
    await following.untilAt(truth);
    master.resume();
    await insist(truth, 2);
    await following.untilAt(truth);
  });

  test('goes along when a replica takes the place of a master that lives', async () => {
    const { truth, following, master } = await beginCluster({ replicas: true });
    await cluster.failOver(master);
    await insist(truth, 1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('waits for a master without a replica', async () => {
    const { truth, following, master } = await beginCluster({ server: { persistent: true } });
    await master.kill();
    await expect(grant(truth, tenant, 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await master.restart();
    await insist(truth, 2);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('whose other masters go is none the worse', async () => {
    const { truth, following, master } = await beginCluster({ replicas: true });
    const other = cluster.nodes.slice(0, 3).find((node) => node !== master) as RedisServer;
    await other.kill();
    await insist(truth, 1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });
});

async function roleOf({ url }: RedisServer): Promise<string | undefined> {
  return /role:(\w+)/.exec(await asAdmin(url, (admin) => admin.info('replication')))?.[1];
}
