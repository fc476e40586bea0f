/**
 * Loads a tenant as a flat graph: reads all records as bytes over a connection of its own, and what was committed
 * meanwhile. Called in a worker, which may be busy for seconds; it ends all its connections.
 */
import { FlatBuilder } from '../../../graph/flat/builder.ts';
import type { ChangeSet } from '../../../model/change.ts';
import { entityKinds } from '../../../model/entity.ts';
import { PosternError } from '../../../model/errors.ts';
import type { FlatLoad } from '../../store.ts';
import { type ConnectionOptions, connect, openStream, type RedisClient, runIdOf } from '../connection.ts';
import { toStoreError } from '../errors.ts';
import { type TenantKeys, tenantKeys } from '../keys.ts';
import { load } from '../load.ts';
import { scanRecords } from '../scan.ts';
import type { RedisTarget } from '../target.ts';
import { type OnCondition, putRecord, recordsInto } from './flat-records.ts';
import { BulkScan } from './scan-replies.ts';

export interface FlatTask {
  readonly target: RedisTarget;
  readonly connection: ConnectionOptions;
  readonly tenant: string;
  /** Of the hash of names. */
  readonly seed: number;
}

/**
 * What Store.loadFlat promises.
 * @param onCondition Told every condition, which has to compile: whoever reads the graph relies on that.
 * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT, INVALID_POLICY
 */
export async function loadFlat(task: FlatTask, onCondition: OnCondition): Promise<FlatLoad> {
  const { target, connection: options, tenant, seed } = task;
  const connection = connect(target, options);
  try {
    await connection.ready();
    const keys = tenantKeys(tenant);
    let builder = new FlatBuilder(seed);
    let since: ChangeSet[] = [];
    const revision = await load(connection.client, keys, {
      // A Cluster's keys may move while they are read, which its client knows how to follow.
      scan: () =>
        target.kind === 'cluster'
          ? scanRecords(connection.client, keys, (changes) => {
              for (const change of changes) {
                if (change.op === 'put') putRecord(builder, change.record, onCondition);
              }
            })
          : scanBytes(task, connection.client, keys, builder, onCondition),
      replay(changeSets) {
        for (const changeSet of changeSets) since.push(changeSet);
      },
      restart() {
        builder = new FlatBuilder(seed);
        since = [];
      },
    });
    return { flat: builder.finish(), revision, since };
  } catch (error) {
    throw toStoreError(error, `cannot load tenant ${tenant}`, connection);
  } finally {
    connection.close();
  }
}

/** @param client The connection that the revision is read over: in a failover the other one may reach another server. */
async function scanBytes(
  { target, connection }: FlatTask,
  client: RedisClient,
  keys: TenantKeys,
  builder: FlatBuilder,
  onCondition: OnCondition,
): Promise<void> {
  const { stream, runId, replyTimeoutMs, close } = await openStream(target, connection);
  try {
    if (runId !== (await runIdOf(client)))
      throw new PosternError('STORE_UNAVAILABLE', 'another server took over while it was being loaded; load again');
    const scans = entityKinds.map((kind) => {
      const key = keys.records[kind];
      return { kind, key, onPair: recordsInto(builder, kind, key, onCondition) };
    });
    await new BulkScan(stream, replyTimeoutMs).run(scans);
  } finally {
    close();
  }
}
