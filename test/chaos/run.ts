// One chaos run, whatever is struck and whoever follows: it writes random change sets, strikes as the schedule says, has
// the followers asked for what was written, and in the end expects all of them to hold what the store holds. Called by
// the tests of this folder, each with a Redis and followers of its kind.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { type Change, formatRevision, type Revision } from '../../src/model/change.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { query } from '../reference/questions.ts';
import { sameRecords } from '../reference/runs.ts';
import type { FaultProxy } from '../setup/fault-proxy.ts';
import { seed } from '../setup/seed.ts';
import { loadGraph } from '../store/records.ts';
import type { Followed, Follower } from './follower.ts';
import { Ledger } from './ledger.ts';
import { type Step, scheduleOf } from './schedule.ts';
import { Writer } from './writer.ts';

/** As quick to notice as a run wants it. */
export const quick: RedisStoreOptions = { heartbeatMs: 50, heartbeatTimeoutMs: 400, connectTimeoutMs: 1000 };

/** When a fault ends: at once, while its step's commits go on, before they begin, or some steps later. */
export interface Ending {
  readonly when: 'at once' | 'with the step' | 'before the commits' | 'later';
  readonly end: () => unknown;
}

export const done: Ending = { when: 'at once', end: () => {} };

/** What a fault may do besides striking. */
export interface Struck {
  readonly tenant: string;
  /** Brings the ledger up to date. */
  readonly readBack: () => Promise<void>;
  /** Tells the ledger of a commit that the fault makes itself; returns the reason that it must give. */
  readonly sending: (changes: readonly Change[]) => string;
  /** Commits, if it can: as Writer.commit. */
  readonly tryCommit: (changes: readonly Change[]) => Promise<Revision | undefined>;
  /** Commits and brings the ledger up to date; for when Redis is there. */
  readonly commit: (changes: readonly Change[]) => Promise<void>;
}

export interface RunOptions<Fault extends string> {
  /** As the writer reaches Redis. */
  readonly url: string;
  /** Whether the store may lose what it has acknowledged: then each commit says what it is made on. */
  readonly losesCommits?: boolean;
  readonly steps: number;
  readonly faults: readonly Fault[];
  /** Strikes; what it returns ends the fault. */
  readonly strike: (struck: Struck, step: Step<Fault>, way: FaultProxy | undefined) => Promise<Ending>;
  /** Not begun yet. */
  readonly followers: (followed: Followed) => readonly Follower[];
}

/** What others may have to wait for, at most. */
const patient = { timeout: 15_000, interval: 20 };
/** Between two commits more than a step has. */
const leisureMs = 25;
const tenant = 'acme';

/** How long the run is: POSTERN_CHAOS_STEPS, or what fits into the suite. */
export function stepsOf(usual: number): number {
  return Number(process.env.POSTERN_CHAOS_STEPS ?? usual);
}

/** Plays a run to its end, with a message of a failure that tells how to repeat it. */
export async function play<Fault extends string>(options: RunOptions<Fault>): Promise<void> {
  const { steps } = options;
  const how = `POSTERN_SEED=${seed} POSTERN_CHAOS_STEPS=${steps}`;
  console.log(`chaos: ${how} npm run chaos repeats this run`);
  const run = new Run(options);
  try {
    await run.play();
  } catch (error) {
    throw new Error(`${how}: ${error instanceof Error ? error.message : error}\n${run.told()}`, { cause: error });
  } finally {
    await run.close();
  }
}

class Run<Fault extends string> {
  readonly #options: RunOptions<Fault>;
  readonly #ledger = new Ledger();
  readonly #truth;
  readonly #writer;
  readonly #log: string[] = [];
  readonly #asks: Promise<void>[] = [];
  readonly #struck: Struck;
  readonly #followers: readonly Follower[];
  readonly #restarting: readonly Follower[];
  #later: { readonly atStep: number; readonly end: Ending['end'] }[] = [];

  constructor(options: RunOptions<Fault>) {
    this.#options = options;
    this.#truth = createRedisStore(parseRedisUrl(options.url), quick);
    this.#writer = new Writer(this.#truth, tenant, this.#ledger, options.losesCommits ?? false);
    const queries = fc.sample(query, { seed, numRuns: 60 });
    this.#followers = options.followers({ tenant, ledger: this.#ledger, queries });
    this.#restarting = this.#followers.filter(({ restarts }) => restarts);
    this.#struck = {
      tenant,
      sending: (changes) => this.#ledger.sending(changes),
      tryCommit: (changes) => this.#writer.commit(changes),
      readBack: async () => {
        await vi.waitFor(() => this.#ledger.readBack(this.#truth, tenant), patient);
      },
      commit: async (changes) => {
        await vi.waitFor(async () => {
          if ((await this.#writer.commit(changes)) === undefined) throw new Error('a commit of a fault was not made');
        }, patient);
        await this.#struck.readBack();
      },
    };
  }

  async play(): Promise<void> {
    const { steps, faults } = this.#options;
    const [first, ...schedule] = scheduleOf(seed, steps + 1, faults) as [Step<Fault>, ...Step<Fault>[]];
    await this.#struck.commit(first.graph);
    await Promise.all(this.#followers.map((follower) => follower.begin()));
    await this.#settled();
    for (const [i, step] of schedule.entries()) await this.#take(step, i);
    await this.#endLater(Number.POSITIVE_INFINITY);
    await this.#settle();
    for (const follower of this.#followers) await follower.conclude();
    this.#expectNoWrongs();
    for (const { judge } of this.#followers) expect(judge.answers).toBeGreaterThan(steps);
    await this.#tellOfLost();
  }

  told(): string {
    const followers = this.#followers.map(
      (follower) => `${follower.name}: ${follower.told()}; ${follower.judge.wrongs.slice(0, 3).join('\n')}`,
    );
    return [...this.#log, ...followers].join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.close()));
    await this.#truth.close();
  }

  /** A store that loses commits has to have lost some that somebody had answered at, or the run has shown nothing. */
  async #tellOfLost(): Promise<void> {
    const head = await this.#ledger.readBack(this.#truth, tenant);
    const lost = head === undefined ? new Set<string>() : this.#ledger.lostBefore(head);
    const told = this.#followers.map(({ name, judge: { answers, revisions } }) => {
      const ofLost = [...lost].filter((token) => revisions.has(token)).length;
      return { ofLost, text: `${name} gave ${answers} answers at ${revisions.size} revisions, ${ofLost} of them lost` };
    });
    const found = `${this.#ledger.found} of them told by answers alone`;
    console.info(`chaos: ${lost.size} commits lost, ${found}; ${told.map(({ text }) => text).join('; ')}`);
    if (this.#options.losesCommits) expect(Math.max(...told.map(({ ofLost }) => ofLost))).toBeGreaterThan(0);
  }

  async #take(step: Step<Fault>, i: number): Promise<void> {
    await this.#endLater(i);
    const head = await vi.waitFor(() => this.#truth.head(tenant), patient);
    const restarting = step.restarts ? pick(this.#restarting, step.victim) : undefined;
    const at = head === undefined ? 'nothing' : formatRevision(head);
    const who = restarting === undefined ? '' : `, ${restarting.name} restarts`;
    this.#log.push(`${i}: ${step.fault}, ${step.lastsMs} ms, way ${step.victim}, at ${at}${who}`);
    await restarting?.end();
    const { when, end } = await this.#options.strike(this.#struck, step, pick(this.#followers, step.victim)?.way);
    await restarting?.begin();
    if (when === 'before the commits') {
      await delay(step.lastsMs);
      await end();
    }
    const fault = { lasts: when === 'with the step' };
    const writing = this.#write(step, fault);
    writing.catch(() => {});
    if (fault.lasts) {
      await delay(step.lastsMs);
      await end();
      fault.lasts = false;
    }
    await writing;
    if (when === 'later') this.#later.push({ atStep: i + 1 + step.outlives, end });
    await this.#struck.readBack();
    if (!step.settles) return;
    await this.#endLater(Number.POSITIVE_INFINITY);
    await this.#settle();
  }

  /**
   * Commits the step's change sets. Where commits may be lost it goes on, at leisure and with other changes, while the
   * fault lasts, and until one was made after it: so what is lost is not what comes in its place.
   */
  async #write({ changeSets, graph, victim }: Step<Fault>, fault: { readonly lasts: boolean }): Promise<void> {
    const { losesCommits = false } = this.#options;
    let isMade = false;
    for (let i = 0; i < changeSets.length || (losesCommits && (fault.lasts || !isMade)); i++) {
      if (i >= changeSets.length) await delay(leisureMs);
      const other = pick(graph, i);
      const revision = await this.#writer.commit(changeSets[i] ?? (other === undefined ? [] : [other]));
      isMade = revision !== undefined;
      const follower = pick(this.#followers, victim + i);
      if (revision !== undefined && follower !== undefined) this.#asks.push(follower.readYourWrite(revision));
    }
  }

  async #endLater(until: number): Promise<void> {
    const all = this.#later;
    this.#later = all.filter(({ atStep }) => atStep > until);
    for (const { atStep, end } of all) if (atStep <= until) await end();
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#asks.splice(0));
    await this.#settled();
    this.#expectNoWrongs();
  }

  #settled(): Promise<void> {
    const look = async () => {
      await this.#ledger.readBack(this.#truth, tenant);
      const { graph, revision } = await loadGraph(this.#truth, tenant);
      const records = [...graph.values()];
      sameRecords(records, this.#ledger.recordsAt(revision));
      for (const follower of this.#followers) await follower.expectAt(revision, records);
    };
    return vi.waitFor(look, { timeout: 30_000, interval: 20 });
  }

  #expectNoWrongs(): void {
    for (const follower of this.#followers) {
      follower.judge.conclude();
      expect(follower.judge.wrongs, follower.name).toEqual([]);
    }
  }
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % list.length];
}
