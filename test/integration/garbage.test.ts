// A foreign hand leaves garbage in every key of a tenant, while a replica follows and is asked all the time: it names
// what it cannot read, goes on answering from its last good snapshot, and follows again when that is mended.
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { seed } from '../setup/seed.ts';
import { bindingOf, loadGraph, newTenant, oneOfEach, putOf } from '../store/records.ts';
import { type Garbage, garbageOf, remember } from '../store/redis/garbage.ts';
import { follow, steady } from './following.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(sharedRedisUrl());
});
afterAll(() => redis.disconnect());

/** Seeded texts of whatever characters, nulls and halves of pairs among them. */
const texts = fc.sample(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { seed, numRuns: 200 });
let next = 0;
const garbage = garbageOf(() => texts[next++ % texts.length] as string);
/** Some of those of records: a large graph takes a while to load, in a worker and from its bytes. */
const inLargeGraph = fc.sample(fc.constantFrom(...(garbage['a record'] ?? [])), { seed, numRuns: 3 });
const groups: [string, readonly Garbage[], number][] = [
  ...Object.entries(garbage).map(([place, all]): [string, readonly Garbage[], number] => [place, all, 0]),
  ['a record of a large graph', inLargeGraph, 25_000],
];

describe(`garbage (POSTERN_SEED=${seed} repeats this run)`, () => {
  test.for(groups)(
    'in place of %s is named each time, denies nobody, and is got over',
    { timeout: 120_000 },
    async ([, all, more]) => {
      const tenant = newTenant();
      const keys = tenantKeys(tenant);
      const truth = createRedisStore(parseRedisUrl(sharedRedisUrl()));
      const others = Array.from({ length: more }, (_, i) => putOf(bindingOf(i)));
      await truth.commit(tenant, [...oneOfEach.map(putOf), ...steady, ...others]);
      const { epoch, number } = await truth.commit(tenant, []);
      const mend = await remember(redis, tenant);
      const following = await follow(sharedRedisUrl(), tenant);
      await following.untilAt(truth);
      /** Has it look, as any message does. */
      const poke = () => redis.publish(keys.channel, JSON.stringify({ epoch, revision: number + 1 }));
      for (const { where, what, strike } of all) {
        const before = following.events.length;
        const problems = () =>
          following.events.slice(before).flatMap((event) => (event.kind === 'problem' ? [event.error.message] : []));
        await strike({ redis, keys, epoch, number });
        await poke();
        await vi.waitFor(
          () => expect(problems().join('\n'), `after ${where(keys)} got ${what}`).toContain(where(keys)),
          { timeout: 5_000, interval: 2 },
        );
        await mend();
        await poke();
        await following.untilAt(truth);
      }
      await following.close();
      await truth.close();
    },
  );
});

test.for(['inf', 'nan', '-5', '1e300', '', 'x', '9'.repeat(300)])(
  'what bounds history may be %j: a commit is made whole all the same',
  async (value) => {
    const tenant = newTenant();
    const { head } = tenantKeys(tenant);
    const store = createRedisStore(parseRedisUrl(sharedRedisUrl()), { history: { maxEntries: 10, maxBytes: 100 } });
    await store.commit(tenant, [putOf(bindingOf(1))]);
    await redis.hset(head, { mark: value, markBytes: value, deleted: value });
    for (let i = 2; i <= 4; i++) expect((await store.commit(tenant, [putOf(bindingOf(i))])).number).toBe(i);
    expect((await loadGraph(store, tenant)).graph.size).toBe(4);
    expect(await store.tenants()).toContain(tenant);
    await store.close();
  },
);
