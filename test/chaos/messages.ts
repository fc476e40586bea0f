// What a network, or a foreign publisher, can do to the messages of a tenant: they are lost, or come again later. Called
// by the faults of a single Redis.
import type { Redis } from 'ioredis';
import type { Change } from '../../src/model/change.ts';
import { defineCommands } from '../../src/store/redis/commands.ts';
import { commit } from '../../src/store/redis/commit.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';

const endless = { maxEntries: 10_000, maxBytes: 64 * 1024 * 1024 };

/** Commits as everybody does, but no follower hears of it. */
export async function commitUnheard(redis: Redis, tenant: string, changes: readonly Change[], why: string) {
  const keys = { ...tenantKeys(tenant), channel: 'where nobody listens' };
  await commit(redis, defineCommands(redis), keys, changes, { why }, endless, Date.now());
}

/** Has all messages that are sent meanwhile sent once more, in the same order. */
export async function sendAgain(redis: Redis, tenant: string, meanwhile: () => Promise<void>): Promise<void> {
  const { channel } = tenantKeys(tenant);
  const messages: string[] = [];
  const listening = redis.duplicate();
  listening.on('message', (_, message) => messages.push(message));
  await listening.subscribe(channel);
  await meanwhile();
  listening.disconnect();
  for (const message of messages) await redis.publish(channel, message);
}
