/** A replica of a store that can fail, and readers who apply what they watch. */
import { afterEach, expect, vi } from 'vitest';
import type { WatchEvent } from '../../../src/admin/api.ts';
import type { TailLimits } from '../../../src/admin/reads/tail.ts';
import { watch } from '../../../src/admin/reads/watch.ts';
import type { Snapshot } from '../../../src/graph/snapshot.ts';
import { type Change, formatRevision, type Revision } from '../../../src/model/change.ts';
import type { EntityRecord } from '../../../src/model/entity.ts';
import type { Replica } from '../../../src/replica/replica.ts';
import { createMemoryStore, type MemoryStoreOptions } from '../../../src/store/memory/memory-store.ts';
import { applyPlainly } from '../../reference/arbitraries.ts';
import { FaultyStore } from '../../replica/faulty-store.ts';
import { createQuietReplica } from '../../replica/quiet-replica.ts';
import { role } from './graphs.ts';

export const tenant = 'default';
const closers: (() => Promise<unknown>)[] = [];
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
afterEach(closeAll);

export interface Watched {
  readonly store: FaultyStore;
  readonly replica: Replica;
  /** How many of the next snapshots nobody who watches hears of. */
  muted: number;
  /** How many listen to the replica. */
  listeners(): number;
  commit(changes: readonly Change[]): Promise<Revision>;
  open(more?: { since?: string; limits?: TailLimits; assertPermitted?: (snapshot: Snapshot) => void }): Reader;
}

/** Someone who watches, and applies what comes. */
export class Reader {
  readonly events: WatchEvent[] = [];
  readonly abort = new AbortController();
  readonly #stream: AsyncGenerator<WatchEvent, void>;
  records: readonly EntityRecord[] = [];
  revision = '';

  constructor(make: (signal: AbortSignal) => AsyncGenerator<WatchEvent, void>) {
    this.#stream = make(this.abort.signal);
  }

  /** Reads one event; undefined at the end. */
  async read(): Promise<WatchEvent | undefined> {
    const { value } = await this.#stream.next();
    if (value === undefined) return undefined;
    this.events.push(value);
    if (value.kind === 'graph') {
      if (value.first) this.records = [];
      this.records = [...this.records, ...value.records];
      this.revision = value.last ? value.revision : '';
    } else {
      this.records = applyPlainly(this.records, value.changeSet.changes);
      this.revision = formatRevision(value.changeSet.revision);
    }
    return value;
  }

  async readUntil(revision: string): Promise<void> {
    while (this.revision !== revision) if ((await this.read()) === undefined) throw new Error('ended before');
  }

  end(): Promise<unknown> {
    return this.#stream.return();
  }
}

/** A store whose first change set puts the role "first", and a replica that holds it. */
export async function watched(options: MemoryStoreOptions = {}): Promise<Watched> {
  const store = new FaultyStore(createMemoryStore(options));
  await store.commit(tenant, [{ op: 'put', record: role('first') }]);
  const replica = createQuietReplica(store, tenant);
  closers.push(
    () => store.close(),
    () => replica.close(),
  );
  let listening = 0;
  const listen = replica.onSnapshot.bind(replica);
  replica.onSnapshot = (listener) => {
    const stop = listen((...news) => {
      if (harness.muted-- <= 0) listener(...news);
    });
    let stopped = false;
    listening++;
    return () => {
      if (!stopped) listening--;
      stopped = true;
      stop();
    };
  };
  await vi.waitFor(() => expect(replica.state.kind).toBe('current'), { interval: 1 });
  const harness: Watched = {
    muted: 0,
    store,
    replica,
    listeners: () => listening,
    async commit(changes) {
      const revision = await store.commit(tenant, changes);
      await replica.waitFor(revision, AbortSignal.timeout(5_000));
      return revision;
    },
    open({ since = '', ...more } = {}) {
      const reader = new Reader((signal) =>
        watch({ replica, store, since, assertPermitted: () => {}, ...more }, signal),
      );
      closers.push(() => reader.end());
      return reader;
    },
  };
  return harness;
}
