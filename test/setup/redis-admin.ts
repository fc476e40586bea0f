// How tests give orders to their own Redis processes: a short connection for each, and waiting on a condition. Called by
// the setups of several processes and by test files.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { redisClientTls } from './redis-tls.ts';

/** Uses a connection that ends afterwards, and fails where there is none, or no answer for so long. */
export async function asAdmin<T>(url: string, use: (admin: Redis) => Promise<T>, patienceMs = 5000): Promise<T> {
  const timeouts = { connectTimeout: patienceMs, socketTimeout: patienceMs, disconnectTimeout: 100 };
  // Whatever a server's certificate is, its administrator gets through.
  const tls = url.startsWith('rediss:') ? { tls: { ...redisClientTls(), rejectUnauthorized: false } } : {};
  const once = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 };
  const admin = new Redis(url, { ...once, ...timeouts, ...tls });
  admin.on('error', () => {});
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    admin.disconnect();
  }
}

/** Waits until something holds, asking again and again; what it throws counts as no. */
export async function untilTrue(what: string, holds: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let problem: unknown;
    try {
      if (await holds()) return;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`, { cause: problem });
    await delay(10);
  }
}
