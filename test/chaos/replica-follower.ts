// One replica of a chaos run, in this process, with a way of its own to Redis. It is asked at every new snapshot and all
// the time in between.
import { graphOptions } from '../../src/condition/graph-options.ts';
import { recordsOf } from '../../src/graph/records.ts';
import type { Snapshot } from '../../src/graph/snapshot.ts';
import { formatRevision, type Revision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Query } from '../../src/model/query.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { ReplicaEvent } from '../../src/replica/state.ts';
import type { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { now } from '../reference/arbitraries.ts';
import { engineCheck } from '../reference/engine-adapter.ts';
import { check } from '../reference/evaluator.ts';
import { sameRecords } from '../reference/runs.ts';
import type { FaultProxy } from '../setup/fault-proxy.ts';
import type { Followed, Follower } from './follower.ts';
import { Judge, outcomeOf } from './judge.ts';

export interface ReplicaFollowerOptions extends Followed {
  readonly name: string;
  readonly url: string;
  readonly way?: FaultProxy;
  readonly store: RedisStoreOptions;
  /** With one it is ended now and then, and begun anew from it. */
  readonly directory?: SnapshotDirectory;
}

/** How long it may take to have a revision that it is asked for. */
const patienceMs = 2_000;

export class ReplicaFollower implements Follower {
  readonly name: string;
  readonly way: FaultProxy | undefined;
  readonly restarts: boolean;
  readonly judge: Judge;
  readonly #options: ReplicaFollowerOptions;
  readonly #events: ReplicaEvent['kind'][] = [];
  readonly #asking: NodeJS.Timeout;
  #replica: Replica | undefined;
  #asked = 0;
  /** The number at which the whole graph was loaded last. */
  #loadedAt = 0;
  #closeStore = async () => {};
  #hasSaved = false;

  constructor(options: ReplicaFollowerOptions) {
    this.name = options.name;
    this.way = options.way;
    this.restarts = options.directory !== undefined;
    this.#options = options;
    this.judge = new Judge(options.ledger);
    this.#asking = setInterval(() => this.#ask(this.#replica?.current, 2), 4);
  }

  async begin(): Promise<void> {
    const { url, tenant, directory, store: storeOptions } = this.#options;
    const store = createRedisStore(parseRedisUrl(url), storeOptions);
    this.#closeStore = () => store.close();
    const save = directory === undefined ? {} : { save: { directory, intervalMs: 30 } };
    const onEvent = ({ kind }: ReplicaEvent) => {
      this.#events.push(kind);
      if (kind === 'saved') this.#hasSaved = true;
    };
    const base = { store, tenant, graph: graphOptions, compareIntervalMs: 200, retryMs: 20, now: Date.now };
    const replica = new Replica({ ...base, ...save, onEvent });
    const mustBeThere = this.#hasSaved;
    let had = false;
    replica.onSnapshot((snapshot, changeSet) => {
      had = true;
      if (changeSet === undefined) this.#loadedAt = snapshot.revision.number;
      this.#ask(snapshot, 4);
    });
    this.#replica = replica;
    const look = setInterval(() => {
      if (replica.closed.aborted) clearInterval(look);
      else if (had && replica.current === undefined) this.judge.wrongs.push('answered, and does not any more');
    }, 20);
    if (!mustBeThere) return;
    await replica.attempted;
    if (replica.current === undefined) this.judge.wrongs.push('was empty');
  }

  async end(): Promise<void> {
    await this.#replica?.close();
    this.#replica = undefined;
    await this.#closeStore();
  }

  async readYourWrite(revision: Revision): Promise<void> {
    const replica = this.#replica;
    if (replica === undefined) return;
    try {
      await replica.waitFor(revision, AbortSignal.timeout(patienceMs));
    } catch (error) {
      if (!(error instanceof PosternError)) this.judge.wrongs.push(`threw ${error}`);
      else if (error.code !== 'REVISION_NOT_REACHED') this.judge.refused(revision, error.code);
      return;
    }
    const at = replica.current?.revision;
    if (at === undefined) this.judge.wrongs.push('was asked for a revision, and answered without any');
    else this.judge.reached(revision, at, this.#loadedAt);
  }

  expectAt(revision: Revision, records: readonly EntityRecord[]): void {
    const { state, current } = this.#replica ?? {};
    const at = current === undefined ? 'nothing' : formatRevision(current.revision);
    if (current === undefined || state?.kind !== 'current' || at !== formatRevision(revision))
      throw new Error(`${this.name} is at ${at}, ${state?.kind}, instead of ${formatRevision(revision)}`);
    sameRecords([...recordsOf(current)], records);
  }

  told(): string {
    const at = this.#replica?.current === undefined ? 'nothing' : formatRevision(this.#replica.current.revision);
    return `at ${at}, ${JSON.stringify(this.#replica?.state)}, last ${this.#events.slice(-12)}`;
  }

  async conclude(): Promise<void> {
    await this.end();
  }

  async close(): Promise<void> {
    clearInterval(this.#asking);
    await this.end();
  }

  #ask(snapshot: Snapshot | undefined, times: number): void {
    if (snapshot === undefined) return;
    const { queries } = this.#options;
    for (let i = 0; i < times; i++) {
      const query = queries[this.#asked++ % queries.length] as Query;
      this.judge.answered({
        revision: snapshot.revision,
        question: JSON.stringify(query),
        said: outcomeOf(() => engineCheck(snapshot, query, now)),
        expected: (records) => check(records, query, now),
      });
    }
  }
}
