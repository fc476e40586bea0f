/**
 * Where a command reads a graph from: a policy file, or a tenant in Redis. Called
 * by diff, apply and export. It must never print a URL: those hold passwords.
 */
import { type Change, formatRevision, type Revision } from '../model/change.ts';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { emptyRevision, type Store } from '../store/store.ts';
import type { RedisFlags } from './options.ts';

export interface Graph {
  readonly records: readonly EntityRecord[];
  /** Words for messages, without secrets: "policy.yaml", "tenant default in redis://127.0.0.1:6379/0". */
  readonly description: string;
}

export interface TenantGraph extends Graph {
  /** Number 0 where the tenant has no history. */
  readonly revision: Revision;
}

/** Whether a text is meant as the URL of a Redis, and not as a file. */
function isRedisUrl(text: string): boolean {
  return /^rediss?(\+[a-z]+)?:\/\//.test(text);
}

/** @param redis How Redis is reached, where that is one. @throws PosternError INVALID_POLICY for a file, INVALID_OPTION for a URL, STORE_UNAVAILABLE */
export async function readGraph(source: string, tenant: string, redis: RedisFlags): Promise<Graph> {
  if (isRedisUrl(source)) return withStore({ ...redis, redis: source }, (store) => loadTenant(store, tenant));
  const { loadPolicy } = await import('./policy.ts');
  const { records } = await loadPolicy(source);
  return { records, description: source };
}

/** Opens the store, and closes it after the work. @throws PosternError INVALID_OPTION, and what the work throws */
export async function withStore<T>(flags: RedisFlags, work: (store: Store) => Promise<T>): Promise<T> {
  const { redis } = flags;
  if (redis === undefined) {
    const message = 'no Redis is named; add --redis redis://host:port, or set POSTERN_REDIS';
    throw new PosternError('INVALID_OPTION', message, { field: '--redis' });
  }
  const [{ createRedisStore }, { readRedisAccess }] = await Promise.all([
    import('../store/redis/redis-store.ts'),
    import('../store/redis/access.ts'),
  ]);
  const access = await readRedisAccess({ ...flags, redis });
  const store = createRedisStore(access.target, access.options);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The graph of one tenant; none is an empty one. */
export async function loadTenant(store: Store, tenant: string): Promise<TenantGraph> {
  let kinds = emptyKinds();
  const onBatch = (changes: readonly Change[]) => {
    for (const change of changes) {
      if (change.op === 'put') kinds.get(change.record.kind)?.set(entityKey(change.record), change.record);
      else kinds.get(change.kind)?.delete(change.key);
    }
  };
  const revision = await store.load(tenant, onBatch, () => {
    kinds = emptyKinds();
  });
  const records = [...kinds.values()].flatMap((ofKind) => [...ofKind.values()]);
  return { records, revision, description: `tenant ${tenant} in ${store.description}` };
}

/** "is at revision e.5", or "is empty" for a tenant without a history. */
export function describeRevision(revision: Revision): string {
  return revision.number === emptyRevision.number ? 'is empty' : `is at revision ${formatRevision(revision)}`;
}

function emptyKinds(): Map<EntityKind, Map<string, EntityRecord>> {
  return new Map(entityKinds.map((kind) => [kind, new Map()]));
}
