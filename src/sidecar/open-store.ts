/** The store that the options ask for: a policy file in memory, or Redis. */
import type { ServeOptions } from '../config/options.ts';
import { createMemoryStore } from '../store/memory/memory-store.ts';
import { followPolicyFile } from '../store/memory/policy-source.ts';
import { createRedisStore } from '../store/redis/redis-store.ts';
import { parseRedisUrl } from '../store/redis/target.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface OpenStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** @throws PosternError INVALID_POLICY where the first reading of the file is refused, INVALID_OPTION */
export async function openStore(options: ServeOptions, logger: Logger): Promise<OpenStore> {
  if (options.redis !== undefined) {
    const store = createRedisStore(parseRedisUrl(options.redis, 'redis'));
    return { store, close: () => store.close() };
  }
  const store = createMemoryStore();
  const source = await followPolicyFile({
    path: options.policy as string,
    store,
    tenant: options.tenant[0] as string,
    onApplied: ({ revision, records, changes, warnings }) => {
      logger.info({ file: options.policy, revision: revision.number, records, changes }, 'policy file is in force');
      for (const { line, column, message } of warnings) logger.warn({ file: options.policy, line, column }, message);
    },
    onProblem: ({ message }) =>
      logger.error({ file: options.policy }, `the edit is refused; the last good policy stays in force\n${message}`),
  });
  return {
    store,
    async close() {
      await source.close();
      await store.close();
    },
  };
}
