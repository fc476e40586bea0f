// A user of Redis who may hear one tenant and not another: the one is followed as if the other were not there.
import { expect, test } from 'vitest';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { hear } from '../store/heard.ts';

describeWithOwnRedis('a channel that may not be heard', () => {
  test('is told of to who follows it, tried again until it may, and disturbs nobody else', async () => {
    const server = await startRedis();
    const allow = (...tenants: string[]) =>
      asAdmin(server.url, (admin) =>
        admin.call('ACL', 'SETUSER', 'one', ...tenants.map((tenant) => `&${tenantKeys(tenant).channel}`)),
      );
    await asAdmin(server.url, (admin) =>
      admin.call('ACL', 'SETUSER', 'one', 'on', '>pw', '~*', '+@all', 'resetchannels'),
    );
    await allow('acme');
    const store = createRedisStore(parseRedisUrl(server.url.replace('redis://', 'redis://one:pw@')));
    try {
      const acme = hear(store, 'acme');
      const globex = hear(store, 'globex');
      await acme.until('connected');
      await globex.until('problem');
      await allow('globex');
      await globex.until('connected');
      expect(globex.told.map(({ what }) => what)).toEqual(['disconnected', 'problem', 'connected']);
      expect(acme.told.map(({ what }) => what)).toEqual(['connected']);
    } finally {
      await store.close();
      await server.stop();
    }
  });
});
