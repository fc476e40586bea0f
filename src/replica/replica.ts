/**
 * Follows one tenant of a store and keeps one snapshot current. Everything that can go wrong between a store and a
 * follower ends here: lost, repeated and late messages, trimmed history, another epoch, a store that went backwards,
 * records that do not compile. The old snapshot answers until the new one is complete; #install is the only place that
 * puts another graph in force.
 */
import { applyChanges } from '../graph/apply.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { type ChangeSet, isNextOf, isSameRevision, type Revision } from '../model/change.ts';
import { toPosternError } from '../model/errors.ts';
import type { Subscription } from '../store/store.ts';
import { Freshness } from './freshness.ts';
import { startJitteredInterval } from './jittered-interval.ts';
import { loadGraph } from './load-graph.ts';
import { atOnce, type ReplicaOptions, type SnapshotListener } from './options.ts';
import { restore } from './restore.ts';
import { Rounds } from './rounds.ts';
import { mostChangesInOneGo, Slices } from './slices.ts';
import type { ReplicaState } from './state.ts';
import { Upkeep } from './upkeep.ts';
import { RevisionWaiters } from './waiters.ts';

/** Change sets read from history in one go. */
const catchUpBatch = 500;

export class Replica {
  readonly tenant: string;
  /** How old the snapshot may be; without one, how long it has been looked for. */
  readonly freshness: Freshness;
  readonly #closing = new AbortController();
  readonly #options: ReplicaOptions;
  readonly #subscription: Subscription;
  readonly #stopComparing: () => void;
  readonly #rounds: Rounds;
  readonly #upkeep: Upkeep;
  readonly #waiters: RevisionWaiters;
  readonly #listeners = new Set<SnapshotListener>();
  #current: Snapshot | undefined;
  #triedToRestore: boolean;
  #wantsReload = false;
  #state: ReplicaState = { kind: 'loading', reason: 'nothing was loaded yet' };
  readonly #attempt = Promise.withResolvers<void>();

  constructor(options: ReplicaOptions) {
    this.tenant = options.tenant;
    this.#options = options;
    this.#triedToRestore = options.save === undefined;
    this.#rounds = new Rounds({
      work: () => this.#reachHead(),
      onFailure: (error) => this.#refuse(error),
      retryMs: options.retryMs,
    });
    this.#upkeep = new Upkeep(options, this, {
      replace: (snapshot) => {
        this.#current = snapshot;
      },
      reload: () => {
        this.#wantsReload = true;
        this.#rounds.begin();
      },
    });
    this.#subscription = options.store.follow(options.tenant, {
      onChangeSet: (changeSet) => this.#receive(changeSet),
      onHead: () => this.#hearOfNewer(),
      onConnected: () => {
        this.freshness.connected();
        options.onEvent({ kind: 'connected' });
        this.#rounds.beginSoon(0);
      },
      onDisconnected: (reason) => {
        this.freshness.disconnected();
        this.#fallBehind(reason);
        options.onEvent({ kind: 'disconnected', reason });
      },
      onProblem: (error) => {
        this.freshness.fellBehind();
        options.onEvent({ kind: 'problem', error });
        this.#rounds.begin();
      },
    });
    this.freshness = new Freshness(this.#subscription.pulse, options.monotonicNow ?? (() => performance.now()));
    this.#waiters = new RevisionWaiters(() => this.#rounds.begin(), this.freshness.nowMs);
    this.#stopComparing = startJitteredInterval(() => this.#rounds.begin(), options.compareIntervalMs);
    // What was saved does not wait for the store to be there.
    if (options.save !== undefined) this.#rounds.begin();
  }

  /** The snapshot in force; undefined until the first load is complete. */
  get current(): Snapshot | undefined {
    return this.#current;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** Resolves when the first attempt at a snapshot has ended, well or not; then `current` and `state` say which. */
  get attempted(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Aborted when this is closed: for those who listen for what comes. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Calls back after every new snapshot, in order; returns the way to stop. */
  onSnapshot(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether the snapshot in force is at least at a revision, and does not have another commit of its number. */
  has(revision: Revision): boolean {
    return this.#waiters.has(revision);
  }

  /**
   * Resolves when the snapshot is at least at a revision.
   * @throws PosternError REVISION_NOT_REACHED when the signal ends the wait, REVISION_OF_OTHER_EPOCH, REVISION_LOST
   */
  waitFor(revision: Revision, signal: AbortSignal | undefined): Promise<void> {
    return this.#waiters.wait(revision, signal);
  }

  /** Whether somebody waits for a revision. */
  get isAwaited(): boolean {
    return this.#waiters.isAwaited;
  }

  /** Ends every wait for a revision, and lets nobody wait any more: a drain must not last as long as their patience. */
  endWaits(): void {
    this.#waiters.abandon();
    this.#attempt.resolve();
  }

  /** Stops following and saving; the snapshot stays readable. Never waits for a store that is silent. Idempotent. */
  async close(): Promise<void> {
    if (this.closed.aborted) return;
    this.#state = { kind: 'closed' };
    this.#closing.abort();
    this.#stopComparing();
    this.#rounds.close();
    const upkeepEnds = this.#upkeep.close();
    this.endWaits();
    await Promise.all([this.#subscription.close(), upkeepEnds]);
  }

  #receive(changeSet: ChangeSet): void {
    const held = this.#current?.revision;
    const next = held !== undefined && isNextOf(held, changeSet);
    // While a synchronisation runs, it alone moves the snapshot; it looks at the store's head last.
    const small = changeSet.changes.length <= mostChangesInOneGo;
    if (next && small && !this.#rounds.isRunning) this.#applyOne(changeSet);
    else this.#hearOfNewer();
  }

  #hearOfNewer(): void {
    this.freshness.fellBehind();
    this.#rounds.beginSoon(this.#options.retryMs);
  }

  #applyOne(changeSet: ChangeSet): void {
    try {
      const heardMs = this.freshness.nowMs();
      this.#applied(applyChanges(this.#current as Snapshot, changeSet.changes, changeSet.revision), changeSet);
      this.freshness.confirmed(heardMs);
      this.#state = { kind: 'current' };
    } catch (error) {
      this.#refuse(error);
      this.#rounds.begin();
    }
  }

  #applied(snapshot: Snapshot, changeSet: ChangeSet): void {
    this.#install(snapshot, changeSet, () => this.#upkeep.applied(changeSet));
    const delayMs = this.#options.now() - changeSet.at;
    this.#options.onEvent({
      kind: 'applied',
      revision: changeSet.revision,
      changes: changeSet.changes.length,
      delayMs,
    });
  }

  /** Brings the snapshot to the store's head. */
  async #reachHead(): Promise<void> {
    const { store, tenant, inTurn = atOnce } = this.#options;
    if (!this.#triedToRestore) await this.#restore();
    for (;;) {
      const askedMs = this.freshness.nowMs();
      const head = await store.head(tenant);
      if (this.closed.aborted) return;
      const held = this.#current?.revision;
      if (head === undefined) return this.#miss();
      const reload = this.#wantsReload;
      this.#wantsReload = false;
      if (!reload && held !== undefined && isSameRevision(held, head)) {
        const { kind } = this.#state;
        this.#state = { kind: 'current' };
        this.freshness.confirmed(askedMs);
        this.#waiters.confirmed(askedMs);
        if (kind === 'behind') this.#options.onEvent({ kind: 'current', revision: held });
        return;
      }
      const ahead = !reload && held !== undefined && held.epoch === head.epoch && held.number < head.number;
      if (!reload) this.freshness.fellBehind();
      if (!(ahead && (await this.#catchUp(held)))) {
        // Of another history, or further back: so it is for all who follow.
        const isForAll = held !== undefined && !reload && (held.epoch !== head.epoch || held.number >= head.number);
        if (isForAll) await store.awaitReload?.(tenant, this.closed);
        if (this.closed.aborted || !(await inTurn(async () => !this.closed.aborted && this.#load()))) return;
      }
      if (this.#current !== undefined && isSameRevision(this.#current.revision, head)) this.freshness.reached(askedMs);
    }
  }

  /** Begins with what was saved on disk, if anything was: it may be old, and says so. */
  async #restore(): Promise<void> {
    const restored = await restore(this.#options);
    this.#triedToRestore = true;
    if (restored === undefined || this.closed.aborted) return;
    const { snapshot, base, ageMs, tookMs } = restored;
    this.freshness.restored(ageMs);
    this.#install(snapshot, undefined, () => this.#upkeep.loaded(base, true));
    this.#fallBehind('it was read from disk, and has not been compared with the store yet');
    this.#options.onEvent({ kind: 'restored', revision: snapshot.revision, ageMs, tookMs });
  }

  /** Nothing there is not an empty policy: that would deny everybody everything. */
  #miss(): void {
    this.#fallBehind('the store has no policy of it: write one with `postern apply`, or `postern tenants create`');
    this.#options.onEvent({ kind: 'missing', held: this.#current?.revision });
  }

  /** Applies history; false where that is not possible and the whole graph has to be loaded. */
  async #catchUp(held: Revision): Promise<boolean> {
    try {
      const history = await this.#options.store.changesSince(this.tenant, held, catchUpBatch);
      if (history === undefined || history.length === 0) return false;
      const slices = new Slices();
      for (const changeSet of history) {
        const snapshot = await slices.afterLatest(() => this.#current as Snapshot, changeSet);
        if (this.closed.aborted) return false;
        this.#applied(snapshot, changeSet);
      }
      return true;
    } catch (error) {
      const problem = toPosternError(error);
      if (problem.code === 'STORE_UNAVAILABLE') throw problem;
      // A later change set may have mended what this one broke, and history may be broken where the records are not:
      // only the whole graph can tell.
      this.#options.onEvent({ kind: 'problem', error: problem });
      return false;
    }
  }

  /** Puts the store's whole graph in force; false where there is none, or nobody wants it any more. */
  async #load(): Promise<boolean> {
    const { store, graph, now, onEvent } = this.#options;
    const startedMs = now();
    const options = { background: this.#current !== undefined, signal: this.closed };
    const loaded = await loadGraph(store, this.tenant, graph, options);
    if (this.closed.aborted) return false;
    if (loaded === undefined) {
      // The store was emptied after its head was read.
      this.#miss();
      return false;
    }
    this.#install(loaded.snapshot, undefined, () => this.#upkeep.loaded(loaded.base, false));
    onEvent({ kind: 'loaded', revision: loaded.snapshot.revision, tookMs: now() - startedMs });
    return true;
  }

  /** Puts another graph in force. */
  #install(snapshot: Snapshot, changeSet: ChangeSet | undefined, noteGround: () => void): void {
    this.#current = snapshot;
    // Before anybody else hears of it: what upkeep folds has to be what is in force.
    noteGround();
    this.#waiters.reached(snapshot.revision, changeSet !== undefined);
    this.#attempt.resolve();
    for (const listener of this.#listeners) listener(snapshot, changeSet);
  }

  #refuse(error: unknown): void {
    const problem = toPosternError(error);
    this.#fallBehind(problem.message);
    this.#options.onEvent({ kind: 'problem', error: problem });
  }

  #fallBehind(reason: string): void {
    if (this.#state.kind === 'closed') return;
    this.freshness.fellBehind();
    if (this.#triedToRestore) this.#attempt.resolve();
    if (this.#current === undefined) this.#state = { kind: 'loading', reason };
    else this.#state = { kind: 'behind', reason };
  }
}
