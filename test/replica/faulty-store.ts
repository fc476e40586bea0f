/** A store in front of another that can lose messages, forget history, be away, and be replaced: for tests of followers. */
import type { Change, ChangeSet, Revision } from '../../src/model/change.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { CommitOptions, Store, StoreListener, Subscription } from '../../src/store/store.ts';

export class FaultyStore implements Store {
  readonly description = 'faulty';
  /** How many of the next messages are swallowed. */
  losing = 0;
  /** History is answered as trimmed. */
  forgetful = false;
  /** History is there, and cannot be read. */
  corruptHistory = false;
  /** Every revision is told to be of this epoch: a store that replaces another one looks like the same history. */
  epoch: string | undefined;
  /** What those who follow are told of signs of life. */
  readonly pulse = { lastMs: Number.POSITIVE_INFINITY, mostMs: 0 };
  /** Every read fails. */
  away = false;
  /** Called before the first record of a load. */
  beforeLoad: (tenant: string) => Promise<void> = async () => {};
  /** Called after the records of a load were handed over, before it ends. */
  beforeLoadEnds: () => Promise<void> = async () => {};
  readonly calls = { head: 0, load: 0, changesSince: 0, tenants: 0 };
  #inner: Store;
  readonly #listeners = new Map<StoreListener, { tenant: string; inner: Subscription }>();

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** Puts another store in place of the one behind, as a failover or a restored backup does. */
  async replace(inner: Store): Promise<void> {
    this.#inner = inner;
    for (const [listener, { tenant, inner: old }] of this.#listeners) {
      await old.close();
      this.#listeners.set(listener, { tenant, inner: this.#attach(tenant, listener) });
    }
  }

  async head(tenant: string): Promise<Revision | undefined> {
    this.calls.head++;
    this.#refuseWhenAway();
    return this.#told(await this.#inner.head(tenant));
  }

  async load(...[tenant, onBatch, onRestart]: Parameters<Store['load']>): Promise<Revision> {
    this.calls.load++;
    this.#refuseWhenAway();
    await this.beforeLoad(tenant);
    const revision = await this.#inner.load(tenant, onBatch, onRestart);
    await this.beforeLoadEnds();
    return this.#told(revision);
  }

  async changesSince(tenant: string, since: Revision, limit: number): Promise<readonly ChangeSet[] | undefined> {
    this.calls.changesSince++;
    this.#refuseWhenAway();
    if (this.corruptHistory) throw new PosternError('STORE_CORRUPT', 'the test has written garbage into the history');
    if (this.forgetful) return undefined;
    const epoch = since.epoch === this.epoch ? (await this.#inner.head(tenant))?.epoch : undefined;
    const found = await this.#inner.changesSince(tenant, { ...since, epoch: epoch ?? since.epoch }, limit);
    return found?.map((changeSet) => this.#toldOf(changeSet));
  }

  async commit(tenant: string, changes: readonly Change[], options?: CommitOptions): Promise<Revision> {
    return this.#told(await this.#inner.commit(tenant, changes, options));
  }

  changesBefore(...args: Parameters<Store['changesBefore']>): Promise<readonly ChangeSet[]> {
    return this.#inner.changesBefore(...args);
  }

  deleteTenant(...args: Parameters<Store['deleteTenant']>): Promise<Revision> {
    return this.#inner.deleteTenant(...args);
  }

  follow(tenant: string, listener: StoreListener): Subscription {
    this.#listeners.set(listener, { tenant, inner: this.#attach(tenant, listener) });
    return {
      pulse: this.pulse,
      close: async () => {
        await this.#listeners.get(listener)?.inner.close();
        this.#listeners.delete(listener);
      },
    };
  }

  async tenants(): Promise<readonly string[]> {
    this.calls.tenants++;
    this.#refuseWhenAway();
    return this.#inner.tenants();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Tells every follower that the connection was lost, and is there again. */
  reconnect(): void {
    this.disconnect();
    this.connect();
  }

  disconnect(): void {
    for (const listener of this.#listeners.keys()) listener.onDisconnected('cut by the test');
  }

  connect(): void {
    for (const listener of this.#listeners.keys()) listener.onConnected();
  }

  #attach(tenant: string, listener: StoreListener): Subscription {
    return this.#inner.follow(tenant, {
      onChangeSet: (changeSet) => this.losing-- > 0 || listener.onChangeSet(this.#toldOf(changeSet)),
      onHead: (head) => this.losing-- > 0 || listener.onHead(this.#told(head)),
      onConnected: () => listener.onConnected(),
      onDisconnected: (reason) => listener.onDisconnected(reason),
    });
  }

  #told<Told extends Revision | undefined>(revision: Told): Told {
    return revision === undefined || this.epoch === undefined ? revision : { ...revision, epoch: this.epoch };
  }

  #toldOf(changeSet: ChangeSet): ChangeSet {
    return { ...changeSet, revision: this.#told(changeSet.revision) };
  }

  #refuseWhenAway(): void {
    if (this.away) throw new PosternError('STORE_UNAVAILABLE', 'the test has taken the store away');
  }
}
