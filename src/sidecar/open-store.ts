/** The store that the options ask for: a policy file in memory, or Redis. */
import type { ServeOptions } from '../config/options.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { SnapshotDirectory } from '../snapshot-file/directory.ts';
import type { RedisAccess } from '../store/redis/access.ts';
import { createRedisStore } from '../store/redis/redis-store.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface OpenStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** @param redis Undefined for a policy file. @throws PosternError INVALID_POLICY where the first reading of the file is refused, INVALID_OPTION */
export async function openStore(
  options: ServeOptions,
  redis: RedisAccess | undefined,
  logger: Logger,
): Promise<OpenStore> {
  if (redis !== undefined) {
    const store = createRedisStore(redis.target, redis.options);
    return { store, close: () => store.close() };
  }
  // Only where there is a policy file: YAML and the watching of files take their time to load.
  const [{ createMemoryStore }, { followPolicyFile }] = await Promise.all([
    import('../store/memory/memory-store.ts'),
    import('../store/memory/policy-source.ts'),
  ]);
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

/** Where graphs are saved, if they are. @throws PosternError INVALID_OPTION where nothing can be kept there */
export async function openSnapshots({ snapshotDir }: ServeOptions): Promise<SnapshotDirectory | undefined> {
  if (snapshotDir === undefined) return undefined;
  const directory = new SnapshotDirectory(snapshotDir);
  try {
    await directory.open();
  } catch (error) {
    throw new PosternError('INVALID_OPTION', `cannot keep snapshots in ${snapshotDir}: ${messageOf(error)}`, {
      field: 'snapshot-dir',
    });
  }
  return directory;
}
