/**
 * Reading the decision log: who may, and which. The log itself is read by decision-log/query; the right is the action
 * `read_decisions` on the tenant, by the graph that is in force when something is sent. Adapters translate to and from it.
 */
import type { Identity } from '../authn/identity.ts';
import type { TailEvent } from '../decision-log/query/intake.ts';
import { type LogPage, queryLog } from '../decision-log/query/query-log.ts';
import type { FoundLine, Selection } from '../decision-log/query/selection.ts';
import type { LogSource } from '../decision-log/query/source.ts';
import { tailLogs } from '../decision-log/query/tail-logs.ts';
import { PosternError } from '../model/errors.ts';
import type { Replica } from '../replica/replica.ts';
import { notReady, type Tenants } from '../replica/tenants.ts';
import type { Page } from './api.ts';
import { createJudging, foundOf, passes, snapshotOf } from './judging.ts';
import { formatPageToken, parsePageToken, type Question } from './reads/page-token.ts';
import { createTurns } from './turns.ts';

export interface DecisionQuery {
  /** Empty where the sidecar serves exactly one. */
  readonly tenant: string;
  readonly selection: Selection;
  readonly page: Page;
  readonly onBehalfOf: string;
}

export interface DecisionTail {
  /** `['*']` is every tenant whose decisions the caller may read; empty where the sidecar serves exactly one. */
  readonly tenants: readonly string[];
  readonly selection: Selection;
  /** From now on, from the time of the selection on, or with so many of the newest of each tenant. */
  readonly from: 'end' | 'start' | number;
  /** Whether to go on at the end of the log. */
  readonly follow: boolean;
  readonly onBehalfOf: string;
}

export interface FoundDecisions {
  readonly found: LogPage['found'];
  readonly nextPageToken: string;
}

/** Everything throws PosternError: NOT_PERMITTED, UNKNOWN_TENANT, STORE_UNAVAILABLE, LIMIT_EXCEEDED and others. */
export interface DecisionReads {
  /** Oldest first; a page may be short, even empty, and still have a next one. @throws INVALID_PAGE_TOKEN, LIST_CHANGED, CANCELLED */
  query(caller: Identity, query: DecisionQuery, signal?: AbortSignal): Promise<FoundDecisions>;
  /** Yields until the signal aborts, or the end where it is not followed; at least every `heartbeatMs`. */
  tail(caller: Identity, tail: DecisionTail, signal: AbortSignal): AsyncIterable<TailEvent>;
}

export interface DecisionReadsOptions {
  readonly tenants: Tenants;
  readonly source: LogSource;
  /** Every tenant that there is. */
  readonly listTenants: () => Promise<readonly string[]>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In milliseconds; default 10,000. */
  readonly heartbeatMs?: number;
}

/** Stands for every tenant. */
const every = '*';
const defaultSize = 100;
const mostInPage = 1_000;
const mostNewest = 1_000;
/** Each is asked for several times a second. */
const mostTenants = 100;
/** Each reads the whole log for itself, in a process that has questions to answer. */
const mostTails = 16;
/** One is answered at a time, for the same reason. */
const mostWaiting = 100;

export function createDecisionReads(options: DecisionReadsOptions): DecisionReads {
  const { tenants, source, now, heartbeatMs = 10_000 } = options;
  const { tenantFor, gateAt } = createJudging(tenants, now);
  const inTurn = createTurns(mostWaiting, 'questions to the decision log');
  let tails = 0;

  const gateNow = (caller: Identity, replica: Replica, onBehalfOf: string) =>
    gateAt(caller, replica, snapshotOf(replica), onBehalfOf);

  async function replicasFor(caller: Identity, { tenants: asked, onBehalfOf }: DecisionTail, signal: AbortSignal) {
    if (!asked.includes(every)) {
      const names = asked.length === 0 ? [''] : [...new Set(asked)];
      checkLimit('tenants', names.length, mostTenants);
      const replicas: Replica[] = [];
      for (const name of names) {
        const replica = await tenantFor(caller, name, signal);
        gateNow(caller, replica, onBehalfOf).decisionsRead();
        replicas.push(replica);
      }
      return replicas;
    }
    if (asked.length > 1) {
      const message = `tenants holds "${every}" and others; send it alone for every tenant`;
      throw new PosternError('INVALID_REQUEST', message, { field: 'tenants' });
    }
    const listed = await options.listTenants();
    const readable: Replica[] = [];
    for (const name of listed.filter((one) => caller.tenants === undefined || caller.tenants.includes(one))) {
      const replica = await foundOf(tenants, name, signal);
      if (replica?.current === undefined) continue;
      if (passes(() => gateNow(caller, replica, onBehalfOf).decisionsRead())) readable.push(replica);
      checkLimit('tenants', readable.length, mostTenants);
    }
    if (readable.length > 0) return readable;
    const message = `${caller.subject} may read the decisions of no tenant: it takes the action "read_decisions" there`;
    throw new PosternError('NOT_PERMITTED', message, { field: 'tenants' });
  }

  return {
    async query(caller, { tenant: name, selection, page, onBehalfOf }, signal) {
      const replica = await tenantFor(caller, name, signal);
      gateNow(caller, replica, onBehalfOf).decisionsRead();
      const { tenant } = replica;
      checkLimit('page_size', page.size, mostInPage);
      const question: Question = { asked: [tenant, 'decisions', selection], shape: ['string'], names: undefined };
      const [after = ''] = (parsePageToken(question, page.token) ?? []) as readonly string[];
      const size = page.size === 0 ? defaultSize : page.size;
      const { found, next } = await inTurn(source, () => queryLog(source, { tenant, selection, size, after }, signal));
      return { found, nextPageToken: next === '' ? '' : formatPageToken(question, [next]) };
    },
    async *tail(caller, asked, signal) {
      const { selection, from, follow, onBehalfOf } = asked;
      if (typeof from === 'number') checkLimit('newest', from, mostNewest);
      const replicas = await replicasFor(caller, asked, signal);
      if (tails === mostTails) {
        const message = `${mostTails} tails are open here already; end one, or ask another sidecar`;
        throw new PosternError('LIMIT_EXCEEDED', message, { limit: String(mostTails) });
      }
      tails++;
      const releases = replicas.map((replica) => tenants.hold(replica));
      const ended = AbortSignal.any([signal, ...replicas.map((replica) => replica.closed)]);
      const question = { tenants: replicas.map(({ tenant: name }) => ({ name, from })), selection, follow };
      try {
        for await (const event of tailLogs(source, question, { heartbeatMs }, ended)) {
          // A right may end while somebody reads.
          for (const replica of replicas) gateNow(caller, replica, onBehalfOf).decisionsRead();
          yield selection.allKinds === true ? event : { ...event, entries: event.entries.filter(isRecord) };
        }
      } finally {
        tails--;
        for (const release of releases) release();
      }
      const [gone = replicas[0] as Replica] = replicas.filter((replica) => replica.closed.aborted);
      // A tenant that was deleted, or a sidecar that ends: the caller has not had enough.
      if (!signal.aborted && (follow || ended.aborted)) throw notReady(gone);
    },
  };
}

function isRecord({ record }: FoundLine): boolean {
  return record !== undefined;
}

function checkLimit(field: string, asked: number, limit: number): void {
  if (asked <= limit) return;
  throw new PosternError('LIMIT_EXCEEDED', `${field} asks for ${asked}; the most is ${limit}`, {
    field,
    limit: String(limit),
  });
}
