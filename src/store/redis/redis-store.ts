/**
 * The store in Redis. Every method turns what the client throws into the one
 * error type; what the methods do is in the files beside this one. It must
 * never hold a part of a graph.
 */

import { randomInt } from 'node:crypto';
import type { Change, ChangeSet, Revision } from '../../model/change.ts';
import type { CommitOptions, FlatLoad, FlatLoadOptions, Store, StoreListener, Subscription } from '../store.ts';
import { loadFlatAside } from './bulk/load-aside.ts';
import { type Commands, defineCommands } from './commands.ts';
import { type CommitRequest, commit, type HistoryLimits } from './commit.ts';
import { type Connection, type ConnectionOptions, connect, createSubscriber } from './connection.ts';
import { deleteTenant } from './delete-tenant.ts';
import { toRefusal, toStoreError } from './errors.ts';
import { RedisFollower } from './follow.ts';
import { readChangesSince, readHead } from './history.ts';
import { readChangesBefore } from './history-before.ts';
import { type TenantKeys, tenantKeys, tenantsKey } from './keys.ts';
import { load } from './load.ts';
import { type OnBatch, scanRecords } from './scan.ts';
import type { RedisTarget } from './target.ts';
import { listTenants } from './tenants.ts';

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
const fewRecords = 20_000;

class RedisStore implements Store {
  readonly description: string;
  readonly #target: RedisTarget;
  readonly #options: RedisStoreOptions;
  readonly #connection: Connection;
  readonly #commands: Commands;
  readonly #follower: RedisFollower;
  readonly #history: HistoryLimits;
  readonly #now: () => number;
  readonly #heartbeatTimeoutMs: number;
  /** Commits under way: they may hold Redis up for long, and nobody could tell how they ended if they were cut off. */
  #commits = 0;
  /** Tenants that this process has put on the list of tenants; names leave it only where Redis is emptied. */
  readonly #listed = new Set<string>();

  constructor(target: RedisTarget, options: RedisStoreOptions) {
    this.#target = target;
    this.#options = options;
    this.#connection = connect(target, options);
    this.description = this.#connection.description;
    this.#commands = defineCommands(this.#connection.client);
    this.#history = options.history ?? defaultHistory;
    this.#now = options.now ?? Date.now;
    this.#heartbeatTimeoutMs = options.heartbeatTimeoutMs ?? defaultHeartbeatTimeoutMs;
    this.#follower = new RedisFollower({
      createClient: (attempt) => createSubscriber(target, options, attempt, this.#heartbeatTimeoutMs),
      heartbeatMs: options.heartbeatMs ?? defaultHeartbeatMs,
      toRefusal: (message) => toRefusal(message, this.#connection),
    });
  }

  head(tenant: string): Promise<Revision | undefined> {
    return this.#run(`cannot read the head of tenant ${tenant}`, () =>
      this.#answered(readHead(this.#connection.client, tenantKeys(tenant))),
    );
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
    return this.#run(`cannot load tenant ${tenant}`, () => this.#load(tenantKeys(tenant), guarded, onRestart)).catch(
      (error) => {
        throw ofCaller === undefined ? error : ofCaller.error;
      },
    );
  }

  #load(keys: TenantKeys, onBatch: OnBatch, restart: (() => void) | undefined): Promise<Revision> {
    const { client } = this.#connection;
    return load(client, keys, {
      scan: () => scanRecords(client, keys, onBatch),
      async replay(changeSets) {
        for (const { changes } of changeSets) if (changes.length > 0) await onBatch(changes);
      },
      restart,
    });
  }

  loadFlat(tenant: string, options: FlatLoadOptions): Promise<FlatLoad | undefined> {
    return this.#run(`cannot load tenant ${tenant}`, async () => {
      const { client } = this.#connection;
      const sizes = await Promise.all(tenantKeys(tenant).recordList.map((key) => client.hlen(key)));
      if (sizes.reduce((sum, size) => sum + size, 0) < fewRecords) return undefined;
      const task = {
        target: this.#target,
        connection: toConnectionOptions(this.#options),
        tenant,
        seed: randomInt(2 ** 31),
      };
      return loadFlatAside({ ...task, background: options.background }, options.signal);
    });
  }

  changesSince(tenant: string, since: Revision, limit: number): Promise<readonly ChangeSet[] | undefined> {
    return this.#run(`cannot read the changes of tenant ${tenant}`, () =>
      readChangesSince(this.#connection.client, tenantKeys(tenant), since, limit),
    );
  }

  changesBefore(tenant: string, before: Revision | undefined, limit: number): Promise<readonly ChangeSet[]> {
    return this.#run(`cannot read the changes of tenant ${tenant}`, () =>
      readChangesBefore(this.#connection.client, tenantKeys(tenant), before, limit),
    );
  }

  commit(tenant: string, changes: readonly Change[], options: CommitOptions = {}): Promise<Revision> {
    return this.#run(`cannot commit to tenant ${tenant} (if it was sent, it may have been made)`, () =>
      this.#commit(tenantKeys(tenant), changes, options),
    );
  }

  deleteTenant(tenant: string, options: CommitOptions = {}): Promise<Revision> {
    return this.#run(`cannot delete tenant ${tenant} (if it was sent, it may have been made)`, () => {
      const keys = tenantKeys(tenant);
      return deleteTenant(this.#connection.client, keys, options, (...args) => this.#commit(keys, ...args));
    });
  }

  async #commit(keys: TenantKeys, changes: readonly Change[], request: CommitRequest): Promise<Revision> {
    const { client } = this.#connection;
    const { tenant } = keys;
    // Before the commit, so that no history is ever left off the list; tenants() passes over those without one.
    if (!this.#listed.has(tenant)) await client.sadd(tenantsKey, tenant);
    this.#commits++;
    const committing = commit(client, this.#commands, keys, changes, request, this.#history, this.#now());
    const revision = await committing.finally(() => this.#commits--);
    // A first revision of a tenant that was listed already: Redis was emptied, and the list with it.
    if (revision.number === 1 && this.#listed.has(tenant)) await client.sadd(tenantsKey, tenant);
    this.#listed.add(tenant);
    return revision;
  }

  follow(tenant: string, listener: StoreListener): Subscription {
    return this.#follower.follow(tenantKeys(tenant).channel, listener);
  }

  tenants(): Promise<readonly string[]> {
    return this.#run('cannot read the list of tenants', () => listTenants(this.#connection.client));
  }

  async close(): Promise<void> {
    this.#follower.close();
    this.#connection.close();
  }

  /** For what Redis answers at once: where it does not, the connection is begun anew, and that ends the wait. */
  async #answered<T>(reply: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      if (this.#commits === 0) this.#connection.restart(`no answer in ${this.#heartbeatTimeoutMs} ms`);
    }, this.#heartbeatTimeoutMs);
    try {
      return await reply;
    } finally {
      clearTimeout(timer);
    }
  }

  async #run<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      await this.#connection.ready();
      return await work();
    } catch (error) {
      throw toStoreError(error, doing, this.#connection);
    }
  }
}

/** What of the options a worker is told: it takes no functions. */
function toConnectionOptions({ history, heartbeatMs, heartbeatTimeoutMs, now, ...connection }: RedisStoreOptions) {
  return connection;
}
