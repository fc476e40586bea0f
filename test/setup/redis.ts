// Global setup of the projects that need Redis. Decides once per run which Redis there is (REDIS_URL, the PATH, apt),
// and keeps one server for all tests that only need some Redis. Tests read it with `sharedRedisUrl()` of
// redis-server.ts. It must never let a run pass without a Redis.
import type { TestProject } from 'vitest/node';
import { ensureRedis } from '../../scripts/redis.js';
import { startRedis } from './redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A Redis that is shared by all tests of a run: use tenants of your own, never FLUSHALL. */
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { url, server } = await ensureRedis();
  if (url !== undefined) {
    if (server === undefined) {
      console.warn('postern: REDIS_URL is used and there is no redis-server: tests that start their own are skipped.');
    }
    project.provide('redisUrl', url);
    return undefined;
  }
  const redis = await startRedis();
  project.provide('redisUrl', redis.url);
  return () => redis.stop();
}
