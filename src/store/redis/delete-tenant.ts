/**
 * Deletes a tenant: reads every record, and commits one change set that deletes them all, if nobody wrote meanwhile.
 * Reading and staging do not hold Redis up; only the commit does, as any other of its size.
 */
import type { Change, Revision } from '../../model/change.ts';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { type CommitOptions, checkExpected, noSuchTenant } from '../store.ts';
import type { CommitRequest } from './commit.ts';
import type { RedisClient } from './connection.ts';
import { readHead } from './history.ts';
import type { TenantKeys } from './keys.ts';
import { load } from './load.ts';
import { scanRecords } from './scan.ts';
import { isListed } from './tenants.ts';

/** Commits that other writers may overtake before it is given up. */
const maxTries = 5;

/** What Store.deleteTenant promises. @throws what the client throws; PosternError as stated there */
export async function deleteTenant(
  client: RedisClient,
  keys: TenantKeys,
  options: CommitOptions,
  commit: (changes: readonly Change[], request: CommitRequest) => Promise<Revision>,
): Promise<Revision> {
  for (let tries = 1; ; tries++) {
    if (!(await isListed(client, keys))) throw noSuchTenant(keys.tenant);
    // Before a large graph is read for nothing.
    checkExpected(keys.tenant, options.expected, await readHead(client, keys));
    const { deletes, revision } = await readDeletes(client, keys);
    if (revision.number === 0) throw noSuchTenant(keys.tenant);
    checkExpected(keys.tenant, options.expected, revision);
    try {
      return await commit(deletes, { ...options, expected: revision, deletesTenant: true });
    } catch (error) {
      const overtaken = error instanceof PosternError && error.code === 'REVISION_CONFLICT';
      // Where the caller expects a revision, the next try says that it is not there any more.
      if (!overtaken || tries === maxTries) throw error;
    }
  }
}

async function readDeletes(client: RedisClient, keys: TenantKeys): Promise<{ deletes: Change[]; revision: Revision }> {
  const emptied = () => new Map(entityKinds.map((kind) => [kind, new Map<string, EntityRecord>()] as const));
  let records: ReadonlyMap<EntityKind, Map<string, EntityRecord>> = emptied();
  const take = (changes: readonly Change[]) => {
    for (const change of changes) {
      if (change.op === 'put') records.get(change.record.kind)?.set(entityKey(change.record), change.record);
      else records.get(change.kind)?.delete(change.key);
    }
  };
  const revision = await load(client, keys, {
    scan: () => scanRecords(client, keys, take),
    replay: (changeSets) => {
      for (const { changes } of changeSets) take(changes);
    },
    restart: () => {
      records = emptied();
    },
  });
  const deletes: Change[] = [];
  // What refers to others goes first, as in any list of deletes.
  for (const kind of entityKinds.toReversed()) {
    for (const [key, before] of records.get(kind) ?? []) deletes.push({ op: 'delete', kind, key, before });
  }
  return { deletes, revision };
}
