// One sidecar of a chaos run: the real command, in a process of its own, that is killed now and then and started anew.
// It is asked over gRPC all the time, with and without tokens, and its decision log is held against what it answered.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { formatRevision, parseRevision, type Revision } from '../../src/model/change.ts';
import type { Query } from '../../src/model/query.ts';
import { objectTypes } from '../reference/arbitraries.ts';
import { createGrpcClient, errorInfoOf } from '../server/grpc-client.ts';
import type { FaultProxy } from '../setup/fault-proxy.ts';
import { type Serving, serveUnready } from '../setup/serve-process.ts';
import type { Followed, Follower } from './follower.ts';
import { Judge } from './judge.ts';
import { type Life, problemsOfLog, type ReadLog } from './log-account.ts';
import { batchOf, checkOf, isWellFormed, listOf, type WireAnswer, type WireQuestion } from './wire-questions.ts';

export interface SidecarFollowerOptions extends Followed {
  readonly name: string;
  readonly url: string;
  readonly way?: FaultProxy;
  /** A directory of its own: for its spool, and for its snapshots where it has any. */
  readonly directory: string;
  readonly savesSnapshots: boolean;
  /** Flags that say where its decision log goes, and how that is read. */
  readonly logFlags: readonly string[];
  readonly readLog: ReadLog;
}

/** Where nobody waits for a revision, there is nothing to wait for: longer than this is a stall. */
const stallMs = 10_000;
/** How long it may take to have a revision that it is asked for. */
const patienceMs = 2_000;
/** Between two questions of one caller. */
const pauseMs = 10;
/** Said of a revision that will never be there. */
const refusals = ['REVISION_LOST', 'REVISION_OF_OTHER_EPOCH'];
/** Said of one that is not there yet. */
const delays = ['REVISION_NOT_REACHED', 'late'];

interface Running extends Life {
  readonly serving: Serving;
  readonly client: Client;
  /** Those who ask it. */
  callers: Promise<unknown>;
  isOver: boolean;
  hasAnswered: boolean;
}

export class SidecarFollower implements Follower {
  readonly name: string;
  readonly way: FaultProxy | undefined;
  readonly restarts = true;
  readonly judge: Judge;
  readonly #options: SidecarFollowerOptions;
  readonly #lives: Life[] = [];
  readonly #errors = new Map<string, number>();
  readonly #checks: readonly WireQuestion[];
  readonly #batches: readonly WireQuestion[];
  readonly #lists: readonly WireQuestion[];
  readonly #flags: readonly string[];
  #running: Running | undefined;
  #newest: Revision | undefined;
  /** The revision at which it was asked everything. */
  #askedAt = '';

  constructor(options: SidecarFollowerOptions) {
    const { name, url, way, tenant, ledger, queries, directory, savesSnapshots, logFlags } = options;
    this.name = name;
    this.way = way;
    this.#options = options;
    this.judge = new Judge(ledger);
    const wellFormed = queries.filter(isWellFormed);
    const typeAt = (i: number) => objectTypes[i % objectTypes.length] ?? 'doc';
    this.#checks = wellFormed.map(checkOf);
    this.#batches = wellFormed.map((_, i) =>
      batchOf([0, 1, 2, 3].map((n) => wellFormed[(i + n * n) % wellFormed.length] as Query)),
    );
    this.#lists = wellFormed.filter(({ object }) => object !== '').map((query, i) => listOf(query, typeAt(i)));
    this.#flags = [
      `--redis=${url}`,
      `--tenant=${tenant}`,
      `--instance=${name.replaceAll(' ', '-')}`,
      '--compare-interval=1s',
      '--allow-asserted-groups',
      `--decision-log-spool-dir=${join(directory, 'spool')}`,
      ...(savesSnapshots ? [`--snapshot-dir=${join(directory, 'snapshots')}`, '--snapshot-interval=1s'] : []),
      ...logFlags,
    ];
  }

  async begin(): Promise<void> {
    const { directory, savesSnapshots, tenant } = this.#options;
    const hasSaved = savesSnapshots && existsSync(join(directory, 'snapshots', `${tenant}.snapshot`));
    const serving = await serveUnready(this.#flags);
    if (hasSaved) {
      const late = delay(stallMs, 'late', { ref: false });
      if ((await Promise.race([serving.ready, late])) === 'late') this.#wrong('did not begin with what it had saved');
    }
    const client = createGrpcClient(serving.address);
    const running: Running = {
      ...{ serving, client, answered: new Map(), wasKilled: true },
      ...{ isOver: false, hasAnswered: hasSaved, callers: Promise.resolve() },
    };
    const asked = [this.#checks, this.#batches, this.#lists];
    running.callers = Promise.all(asked.map((questions) => this.#askAll(running, questions)));
    this.#lives.push(running);
    this.#running = running;
  }

  async end(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.isOver = true;
    await running.serving.kill();
    await this.#leave(running);
  }

  async readYourWrite(revision: Revision): Promise<void> {
    this.#newest = revision;
    const running = this.#running;
    const question = this.#checks[revision.number % this.#checks.length];
    if (running !== undefined && question !== undefined) await this.#ask(running, question, revision);
  }

  async expectAt(revision: Revision): Promise<void> {
    const token = formatRevision(revision);
    if (this.#running === undefined || token === this.#askedAt) return;
    for (const question of [...this.#checks, ...this.#lists]) {
      const answer = await this.#ask(this.#running, question);
      if (answer !== undefined && (answer.revision !== token || answer.dataAgeMs > 0))
        throw new Error(`${this.name} is at ${answer.revision}, ${answer.dataAgeMs} ms old, instead of ${token}`);
    }
    this.#askedAt = token;
  }

  told(): string {
    const errors = [...this.#errors].map(([code, count]) => `${count} times ${code}`).join(', ');
    const said = this.#running?.serving.said.slice(-12).join('\n  ') ?? 'nothing, it is not running';
    return `${this.judge.answers} answers, ${errors}; in life ${this.#lives.length} it said last\n  ${said}\n`;
  }

  async conclude(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.isOver = true;
    await running.callers;
    running.wasKilled = false;
    await this.#stop(running.serving);
    await this.#leave(running);
    for (const problem of await problemsOfLog(this.#lives, this.#options.readLog)) this.#wrong(problem);
  }

  close(): Promise<void> {
    return this.end();
  }

  async #leave(running: Running): Promise<void> {
    this.#running = undefined;
    this.#askedAt = '';
    await running.callers;
    running.client.close();
  }

  async #askAll(running: Running, questions: readonly WireQuestion[]): Promise<void> {
    for (let i = 0; !running.isOver; i++) {
      // Every third time with a token.
      await this.#ask(running, questions[i % questions.length] as WireQuestion, i % 3 === 0 ? this.#newest : undefined);
      await delay(pauseMs);
    }
  }

  /** Undefined where an error came in place of an answer. */
  async #ask(running: Running, question: WireQuestion, atLeast?: Revision): Promise<WireAnswer | undefined> {
    const { words, expected } = question;
    const asking = {
      tenant: this.#options.tenant,
      atLeast: atLeast === undefined ? '' : formatRevision(atLeast),
      deadlineMs: atLeast === undefined ? stallMs : patienceMs,
    };
    try {
      const answer = await question.ask(running.client, asking);
      running.hasAnswered = true;
      for (const { id, ...noted } of answer.decisions) {
        if (running.answered.has(id)) this.#wrong(`gave the id ${id} twice`);
        running.answered.set(id, noted);
      }
      const revision = parseRevision(answer.revision, 'revision');
      this.judge.answered({ revision, question: words, said: answer.said, expected });
      // Nobody can tell from here what it has loaded: as late as can be.
      if (atLeast !== undefined) this.judge.reached(atLeast, revision, revision.number);
      return answer;
    } catch (error) {
      const code = codeOf(error as ServiceError);
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
      this.#holdError(running, code, question, atLeast);
      return undefined;
    }
  }

  #holdError(running: Running, code: string, { words, expected }: WireQuestion, atLeast: Revision | undefined): void {
    if (code === 'gone' && running.isOver) return;
    if (code === 'OVERLOADED') return;
    if (code === 'NOT_READY' && !running.hasAnswered) return;
    if (atLeast !== undefined && delays.includes(code)) return;
    if (atLeast !== undefined && refusals.includes(code)) this.judge.refused(atLeast, code);
    else this.judge.failed({ question: words, code, expected });
  }

  /** Ends it in order, and has the next one deliver what it leaves on disk where its sink does not answer. */
  async #stop(serving: Serving): Promise<void> {
    const code = await serving.stop();
    if (code !== 0) this.#wrong(`ended with code ${code}`);
    if (serving.said.some((line) => line.includes('are left on disk')))
      await this.#stop(await serveUnready(this.#flags));
  }

  #wrong(what: string): void {
    this.judge.wrongs.push(what);
  }
}

const deadlineExceeded = 4;
const unavailable = 14;

function codeOf(error: ServiceError): string {
  try {
    return errorInfoOf(error).reason;
  } catch {
    return error.code === unavailable ? 'gone' : error.code === deadlineExceeded ? 'late' : String(error);
  }
}
