// One replica of a chaos run with a way of its own to Redis. It is asked at every new snapshot and all the time in
// between, and every answer is held against the reference at the revision that the answer names.
import { graphOptions } from '../../src/condition/graph-options.ts';
import type { Snapshot } from '../../src/graph/snapshot.ts';
import { formatRevision, type Revision } from '../../src/model/change.ts';
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
import { type FaultProxy, startFaultProxy } from '../setup/fault-proxy.ts';
import type { Ledger } from './ledger.ts';

export interface FollowerOptions {
  readonly name: string;
  readonly port: number;
  readonly tenant: string;
  readonly ledger: Ledger;
  readonly queries: readonly Query[];
  readonly store: RedisStoreOptions;
  readonly directory?: SnapshotDirectory;
}

interface Answer {
  readonly revision: Revision;
  readonly query: Query;
  readonly said: string;
}

const outcomeOf = (decide: () => unknown): string => {
  try {
    return JSON.stringify(decide());
  } catch (error) {
    if (error instanceof PosternError) return error.code;
    throw error;
  }
};

export class Follower {
  readonly name: string;
  readonly proxy: FaultProxy;
  /** What is wrong with what it did; has to stay empty. */
  readonly wrongs: string[] = [];
  readonly events: ReplicaEvent['kind'][] = [];
  replica: Replica | undefined;
  asked = 0;
  readonly #options: FollowerOptions;
  readonly #expected = new Map<string, string>();
  /** Of revisions that the ledger does not know yet: the outcome of a commit may be told late. */
  #unjudged: Answer[] = [];
  /** Revisions that were asked for, and what the answer was at. */
  readonly #reached: (readonly [Revision, Revision])[] = [];
  /** The number at which the whole graph was loaded last: of commits before that, only the numbers are known. */
  #loadedAt = 0;
  #closeStore = async () => {};
  #hasSaved = false;
  readonly #asking: NodeJS.Timeout;

  private constructor(options: FollowerOptions, proxy: FaultProxy) {
    this.#options = options;
    this.name = options.name;
    this.proxy = proxy;
    this.#asking = setInterval(() => this.#ask(this.replica?.current, 2), 4);
  }

  static async start(options: FollowerOptions): Promise<Follower> {
    const follower = new Follower(options, await startFaultProxy(options.port));
    follower.begin();
    return follower;
  }

  begin(): void {
    const { tenant, directory, store: storeOptions } = this.#options;
    const store = createRedisStore(parseRedisUrl(`redis://127.0.0.1:${this.proxy.port}`), storeOptions);
    this.#closeStore = () => store.close();
    const save = directory === undefined ? {} : { save: { directory, intervalMs: 30 } };
    const onEvent = ({ kind }: ReplicaEvent) => {
      this.events.push(kind);
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
    void replica.attempted.then(() => {
      if (mustBeThere && replica.current === undefined && !replica.closed.aborted) this.wrongs.push('was empty');
    });
    this.replica = replica;
    const look = setInterval(() => {
      if (replica.closed.aborted) clearInterval(look);
      else if (had && replica.current === undefined) this.wrongs.push('answered, and does not any more');
    }, 20);
  }

  async end(): Promise<void> {
    await this.replica?.close();
    this.replica = undefined;
    await this.#closeStore();
  }

  async close(): Promise<void> {
    clearInterval(this.#asking);
    await this.end();
    await this.proxy.close();
  }

  /**
   * Whoever asks for a revision gets an answer that holds it, or a refusal. Not where the graph was loaded beyond it: then
   * nobody knows the nonce that its number had, as src/replica/lineage.ts says.
   */
  async readYourWrite(revision: Revision, signal: AbortSignal): Promise<void> {
    const { replica } = this;
    if (replica === undefined) return;
    try {
      await replica.waitFor(revision, signal);
    } catch (error) {
      if (!(error instanceof PosternError)) this.wrongs.push(`threw ${error}`);
      return;
    }
    const at = replica.current?.revision;
    if (at === undefined) this.wrongs.push('was asked for a revision, and answered without any');
    else if (at.epoch !== revision.epoch || revision.number >= this.#loadedAt) this.#reached.push([revision, at]);
  }

  /** Judges what could not be judged before; whatever the ledger still does not know was never committed. */
  judge(): void {
    const { ledger } = this.#options;
    const answers = this.#unjudged;
    this.#unjudged = [];
    for (const answer of answers) {
      if (ledger.knows(answer.revision)) this.#hold(answer);
      else this.wrongs.push(`answered at ${formatRevision(answer.revision)}, which nobody has committed`);
    }
    for (const [asked, at] of this.#reached.splice(0)) {
      if (!ledger.isWithin(asked, at)) {
        this.wrongs.push(`was asked for ${formatRevision(asked)}, and answered at ${formatRevision(at)}`);
      }
    }
  }

  #ask(snapshot: Snapshot | undefined, times: number): void {
    if (snapshot === undefined) return;
    const { queries, ledger } = this.#options;
    for (let i = 0; i < times; i++) {
      const query = queries[this.asked++ % queries.length] as Query;
      const answer = { revision: snapshot.revision, query, said: outcomeOf(() => engineCheck(snapshot, query, now)) };
      if (ledger.knows(answer.revision)) this.#hold(answer);
      else this.#unjudged.push(answer);
    }
  }

  #hold({ revision, query, said }: Answer): void {
    const key = `${formatRevision(revision)} ${JSON.stringify(query)}`;
    let expected = this.#expected.get(key);
    if (expected === undefined) {
      expected = outcomeOf(() => check(this.#options.ledger.recordsAt(revision), query, now));
      this.#expected.set(key, expected);
    }
    if (said !== expected) this.wrongs.push(`at ${key}: ${said} instead of ${expected}`);
  }
}
