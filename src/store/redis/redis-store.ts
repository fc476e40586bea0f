/**
 * The store in Redis. Every method turns what the client throws into the one
 * error type; what the methods do is in the files beside this one. It must
 * never hold a part of a graph.
 */

import { randomInt } from 'node:crypto';
import { Cluster } from 'ioredis';
import type { Change, ChangeSet, Revision } from '../../model/change.ts';
import type { CommitOptions, FlatLoad, FlatLoadOptions, Store, StoreListener, Subscription } from '../store.ts';
import { loadFlatAside } from './bulk/load-aside.ts';
import { type Commands, defineCommands } from './commands.ts';
import { type CommitRequest, commit, type HistoryLimits } from './commit.ts';
import { type ConnectionOptions, connect, createSubscriber, type RedisClient, tlsOf } from './connection.ts';
import { describeConnectionError } from './connection-error.ts';
import { deleteTenant } from './delete-tenant.ts';
import { toRefusal, toStoreError } from './errors.ts';
import { RedisFollower } from './follow.ts';
import { readChangesSince } from './history.ts';
import { readChangesBefore } from './history-before.ts';
import { type TenantKeys, tenantKeys, tenantsKey } from './keys.ts';
import { load, refuseOrphans } from './load.ts';
import { awaitReload } from './reload-spread.ts';
import { scanRecords } from './scan.ts';
import type { RedisTarget } from './target.ts';
import { listTenants } from './tenants.ts';
import { TriedConnection } from './tried-connection.ts';

export interface RedisStoreOptions extends ConnectionOptions {
  /** About how many entries, and bytes, a tenant's change stream keeps. Default 10,000 and 64 MiB. */
  readonly history?: HistoryLimits;
  /** Pause between heartbeats of the subscriber. Default 2000. */
  readonly heartbeatMs?: number;
  /**
   * How long Redis may owe an answer to a heartbeat, or to the question where a tenant is, before the connection counts
   * as gone. Default 5000; large commits block Redis for seconds.
   */
  readonly heartbeatTimeoutMs?: number;
  /** A tenant of this many records and more is loaded in a worker, as a flat graph. Default 20,000. */
  readonly manyRecords?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const defaultHeartbeatMs = 2000;
const defaultHeartbeatTimeoutMs = 5000;
const defaultHistory: HistoryLimits = { maxEntries: 10_000, maxBytes: 64 * 1024 * 1024 };

/** Makes the store; it connects when first used, and says so by STORE_UNAVAILABLE where it cannot. */
export function createRedisStore(target: RedisTarget, options: RedisStoreOptions = {}): Store {
  return new RedisStore(target, options);
}

/** Fewer records than these are read here: a worker takes about as long to start. */
const defaultManyRecords = 20_000;

class RedisStore implements Store {
  readonly description: string;
  readonly #target: RedisTarget;
  readonly #options: RedisStoreOptions;
  readonly #reading: TriedConnection;
  /** For commits: a large one holds Redis up for long, and reads must not wait behind it. It connects with the first. */
  readonly #writing: TriedConnection;
  readonly #commands: Commands;
  readonly #follower: RedisFollower;
  readonly #history: HistoryLimits;
  readonly #now: () => number;
  /** Tenants that this process has put on the list of tenants; names leave it only where Redis is emptied. */
  readonly #listed = new Set<string>();

  constructor(target: RedisTarget, options: RedisStoreOptions) {
    this.#target = target;
    this.#options = options;
    const answerMs = options.heartbeatTimeoutMs ?? defaultHeartbeatTimeoutMs;
    this.#reading = new TriedConnection(connect(target, options), answerMs);
    this.#writing = new TriedConnection(connect(target, options), answerMs);
    this.description = this.#reading.connection.description;
    this.#commands = defineCommands(this.#writing.connection.client);
    this.#history = options.history ?? defaultHistory;
    this.#now = options.now ?? Date.now;
    this.#follower = new RedisFollower({
      createClient: (attempt) => createSubscriber(target, options, attempt, answerMs),
      heartbeatMs: options.heartbeatMs ?? defaultHeartbeatMs,
      onSilence: () => this.#reading.connection.restart('no answer to the heartbeat'),
      describe: (error) => describeConnectionError(error, tlsOf(target, options)),
      toRefusal: (message) => toRefusal(message, this.#reading.connection),
    });
  }

  head(tenant: string): Promise<Revision | undefined> {
    return this.#run(`cannot read the head of tenant ${tenant}`, async () => {
      const keys = tenantKeys(tenant);
      const head = await this.#reading.head(keys);
      if (head === undefined) await refuseOrphans(this.#reading.connection.client, keys);
      return head;
    });
  }

  load(
    tenant: string,
    onBatch: (changes: readonly Change[]) => void | Promise<void>,
    onRestart?: () => void,
  ): Promise<Revision> {
    let ofCaller: { readonly error: unknown } | undefined;
    const guarded = async (changes: readonly Change[]) => {
      try {
        await onBatch(changes);
      } catch (error) {
        ofCaller = { error };
        throw error;
      }
    };
    return this.#read(`cannot load tenant ${tenant}`, tenant, (client, keys) =>
      load(client, keys, {
        scan: () => scanRecords(client, keys, guarded),
        async replay(changeSets) {
          for (const { changes } of changeSets) if (changes.length > 0) await guarded(changes);
        },
        restart: onRestart,
      }),
    ).catch((error) => {
      throw ofCaller === undefined ? error : ofCaller.error;
    });
  }

  loadFlat(tenant: string, options: FlatLoadOptions): Promise<FlatLoad | undefined> {
    return this.#read(`cannot load tenant ${tenant}`, tenant, async (client, keys) => {
      if ((await countRecords(client, keys)) < (this.#options.manyRecords ?? defaultManyRecords)) return undefined;
      const task = {
        target: this.#target,
        connection: toConnectionOptions(this.#options),
        tenant,
        seed: randomInt(2 ** 31),
      };
      return loadFlatAside({ ...task, background: options.background }, options.signal);
    });
  }

  async awaitReload(tenant: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#reading.connection;
    const { channel } = tenantKeys(tenant);
    const records = await this.#read(`cannot count the records of tenant ${tenant}`, tenant, countRecords);
    // Where they cannot be counted, nobody waits.
    const followers = () => countFollowers(client, channel).catch(() => 0);
    await awaitReload({ followers, records, signal });
  }

  changesSince(tenant: string, since: Revision, limit: number): Promise<readonly ChangeSet[] | undefined> {
    return this.#read(`cannot read the changes of tenant ${tenant}`, tenant, (client, keys) =>
      readChangesSince(client, keys, since, limit),
    );
  }

  changesBefore(tenant: string, before: Revision | undefined, limit: number): Promise<readonly ChangeSet[]> {
    return this.#read(`cannot read the changes of tenant ${tenant}`, tenant, (client, keys) =>
      readChangesBefore(client, keys, before, limit),
    );
  }

  commit(tenant: string, changes: readonly Change[], options: CommitOptions = {}): Promise<Revision> {
    const doing = `cannot commit to tenant ${tenant} (if it was sent, it may have been made)`;
    return this.#run(doing, () => this.#commit(tenantKeys(tenant), changes, options), this.#writing);
  }

  deleteTenant(tenant: string, options: CommitOptions = {}): Promise<Revision> {
    const doing = `cannot delete tenant ${tenant} (if it was sent, it may have been made)`;
    return this.#read(doing, tenant, (client, keys) =>
      deleteTenant(client, keys, options, (...args) => this.#commit(keys, ...args)),
    );
  }

  #commit(keys: TenantKeys, changes: readonly Change[], request: CommitRequest): Promise<Revision> {
    return this.#writing.use(keys, () => this.#commitNow(keys, changes, request));
  }

  async #commitNow(keys: TenantKeys, changes: readonly Change[], request: CommitRequest): Promise<Revision> {
    const { client } = this.#writing.connection;
    const { tenant } = keys;
    // Before the commit, so that no history is ever left off the list; tenants() passes over those without one.
    if (!this.#listed.has(tenant)) await client.sadd(tenantsKey, tenant);
    const revision = await commit(client, this.#commands, keys, changes, request, this.#history, this.#now());
    // A first revision of a tenant that was listed already: Redis was emptied, and the list with it.
    if (revision.number === 1 && this.#listed.has(tenant)) await client.sadd(tenantsKey, tenant);
    this.#listed.add(tenant);
    return revision;
  }

  follow(tenant: string, listener: StoreListener): Subscription {
    return this.#follower.follow(tenantKeys(tenant).channel, listener);
  }

  tenants(): Promise<readonly string[]> {
    return this.#run('cannot read the list of tenants', () =>
      this.#reading.use(undefined, () => listTenants(this.#reading.connection.client)),
    );
  }

  async close(): Promise<void> {
    this.#follower.close();
    this.#reading.connection.close();
    this.#writing.connection.close();
  }

  #read<T>(doing: string, tenant: string, work: (client: RedisClient, keys: TenantKeys) => Promise<T>): Promise<T> {
    return this.#run(doing, () => {
      const keys = tenantKeys(tenant);
      return this.#reading.use(keys, () => work(this.#reading.connection.client, keys));
    });
  }

  async #run<T>(doing: string, work: () => Promise<T>, { connection } = this.#reading): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, doing, connection);
    }
  }
}

async function countRecords(client: RedisClient, keys: TenantKeys): Promise<number> {
  const sizes = await Promise.all(keys.recordList.map((key) => client.hlen(key)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A node of a Cluster counts its own; those who follow are on all of them, and any may answer. */
async function countFollowers(client: RedisClient, channel: string): Promise<number> {
  const [, count] = await client.pubsub('NUMSUB', channel);
  return Number(count) * (client instanceof Cluster ? client.nodes().length : 1);
}

/** What of the options a worker is told: it takes no functions. */
function toConnectionOptions(options: RedisStoreOptions): ConnectionOptions {
  const { history, heartbeatMs, heartbeatTimeoutMs, manyRecords, now, ...connection } = options;
  return connection;
}
