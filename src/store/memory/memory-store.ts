/**
 * The embedded store: graphs in this process, gone with it. The policy file's
 * watcher and tests commit to it; the replica follows it as it would follow
 * Redis. It must never call a listener from inside a commit.
 */
import { randomBytes } from 'node:crypto';
import type { Change, ChangeSet, Revision } from '../../model/change.ts';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { maxChangesPerCommit } from '../../model/limits.ts';
import { checked, problemOfTenant } from '../../model/names.ts';
import {
  type CommitOptions,
  checkBefore,
  checkExpected,
  emptyRevision,
  noSuchTenant,
  type Pulse,
  type Store,
  type StoreListener,
  type Subscription,
} from '../store.ts';
import { defaultHistoryLimits, History, type HistoryLimits } from './history.ts';

export interface MemoryStoreOptions {
  readonly history?: HistoryLimits;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Tenant {
  readonly records: ReadonlyMap<EntityKind, Map<string, EntityRecord>>;
  readonly history: History;
  head: Revision;
  /** The number of the revision that deleted it: it is deleted until the next one. */
  deleted: number | undefined;
}

interface Follower {
  readonly listener: StoreListener;
  closed: boolean;
}

const batchSize = 1000;
/** The store lives as long as whoever follows it. */
const pulse: Pulse = { lastMs: Number.POSITIVE_INFINITY, mostMs: 0 };

/** Makes an empty store. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options);
}

class MemoryStore implements Store {
  readonly description = 'memory';
  readonly #limits: HistoryLimits;
  readonly #now: () => number;
  readonly #tenants = new Map<string, Tenant>();
  readonly #followers = new Map<string, Set<Follower>>();
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#limits = options.history ?? defaultHistoryLimits;
    this.#now = options.now ?? Date.now;
  }

  async head(tenant: string): Promise<Revision | undefined> {
    return this.#find(tenant)?.head;
  }

  async load(tenant: string, onBatch: (changes: readonly Change[]) => void | Promise<void>): Promise<Revision> {
    const found = this.#find(tenant);
    if (found === undefined) return emptyRevision;
    const { head } = found;
    // Taken at once: a commit between two batches must not show in the second alone.
    const changes: Change[] = [];
    for (const kind of entityKinds) {
      for (const record of found.records.get(kind)?.values() ?? []) changes.push({ op: 'put', record });
    }
    for (let i = 0; i < changes.length; i += batchSize) await onBatch(changes.slice(i, i + batchSize));
    return head;
  }

  async changesSince(tenant: string, since: Revision, limit: number): Promise<readonly ChangeSet[] | undefined> {
    const found = this.#find(tenant);
    if (found === undefined) return since.number === 0 ? [] : undefined;
    return found.history.since(since, found.head, limit);
  }

  async changesBefore(tenant: string, before: Revision | undefined, limit: number): Promise<readonly ChangeSet[]> {
    const found = this.#find(tenant);
    return found === undefined || limit < 1 ? [] : found.history.before(before, found.head, limit);
  }

  async commit(tenant: string, changes: readonly Change[], options: CommitOptions = {}): Promise<Revision> {
    return this.#commit(tenant, changes, options);
  }

  async deleteTenant(tenant: string, options: CommitOptions = {}): Promise<Revision> {
    const found = this.#find(tenant);
    if (found === undefined || isDeleted(found)) throw noSuchTenant(tenant);
    const changes: Change[] = [];
    for (const kind of entityKinds.toReversed()) {
      for (const [key, before] of found.records.get(kind) ?? []) changes.push({ op: 'delete', kind, key, before });
    }
    const revision = this.#commit(tenant, changes, options);
    found.deleted = revision.number;
    return revision;
  }

  #commit(tenant: string, changes: readonly Change[], options: CommitOptions): Revision {
    const found = this.#find(tenant);
    checkExpected(tenant, options.expected, found?.head);
    if (changes.length > maxChangesPerCommit) {
      throw new PosternError('LIMIT_EXCEEDED', `${changes.length} changes are more than ${maxChangesPerCommit}`);
    }
    for (const change of changes) checkBefore(change);
    const into = found ?? this.#create(tenant);
    const { epoch, number, nonce: after } = into.head;
    const revision = { epoch, number: number + 1, nonce: randomBytes(4).toString('hex') };
    for (const change of changes) apply(into, change);
    const changeSet: ChangeSet = {
      revision,
      ...(after === undefined ? {} : { after }),
      changes: [...changes],
      at: this.#now(),
      ...(options.by ? { by: options.by } : {}),
      ...(options.via ? { via: options.via } : {}),
      ...(options.why ? { why: options.why } : {}),
    };
    into.head = revision;
    into.history.add(changeSet);
    this.#deliver(tenant, changeSet);
    options.onProgress?.(changes.length, changes.length);
    return revision;
  }

  follow(tenant: string, listener: StoreListener): Subscription {
    this.#check(tenant);
    const follower: Follower = { listener, closed: false };
    const followers = this.#followers.get(tenant) ?? new Set();
    this.#followers.set(tenant, followers.add(follower));
    setImmediate(() => {
      if (!follower.closed) listener.onConnected();
    });
    return {
      pulse,
      close: async () => {
        follower.closed = true;
        followers.delete(follower);
      },
    };
  }

  async tenants(): Promise<readonly string[]> {
    return [...this.#tenants].flatMap(([name, tenant]) => (isDeleted(tenant) ? [] : [name])).sort();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const followers of this.#followers.values()) {
      for (const follower of followers) follower.closed = true;
    }
    this.#followers.clear();
  }

  #check(tenant: string): void {
    checked(tenant, problemOfTenant(tenant), 'INVALID_TENANT', 'tenant');
    if (this.#closed) throw new PosternError('STORE_UNAVAILABLE', 'the store is closed');
  }

  #find(tenant: string): Tenant | undefined {
    this.#check(tenant);
    return this.#tenants.get(tenant);
  }

  #create(tenant: string): Tenant {
    const created: Tenant = {
      records: new Map(entityKinds.map((kind) => [kind, new Map()])),
      history: new History(this.#limits),
      head: { epoch: randomBytes(8).toString('hex'), number: 0 },
      deleted: undefined,
    };
    this.#tenants.set(tenant, created);
    return created;
  }

  #deliver(tenant: string, changeSet: ChangeSet): void {
    // Immediates run in the order in which they were asked for, so each follower sees commits in theirs.
    for (const follower of this.#followers.get(tenant) ?? []) {
      setImmediate(() => {
        if (!follower.closed) follower.listener.onChangeSet(changeSet);
      });
    }
  }
}

function isDeleted({ deleted, head }: Tenant): boolean {
  return deleted === head.number;
}

function apply(tenant: Tenant, change: Change): void {
  if (change.op === 'put') tenant.records.get(change.record.kind)?.set(entityKey(change.record), change.record);
  else tenant.records.get(change.kind)?.delete(change.key);
}
