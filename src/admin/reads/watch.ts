/**
 * Watching a tenant: the graph, or the history since a revision, and then every change set, in order and without a
 * gap. What was heard first decides: the tail listens before the first snapshot is looked at, in the same turn, so
 * that no change set can fall between the two. Called by administration; one generator for each reader.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { recordsOf } from '../../graph/records.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import { formatRevision, isNextOf, isSameRevision, parseRevision, type Revision } from '../../model/change.ts';
import type { EntityRecord } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Store } from '../../store/store.ts';
import type { WatchEvent } from '../api.ts';
import { defaultTailLimits, Tail, type TailLimits } from './tail.ts';

export interface WatchOptions {
  readonly replica: Replica;
  readonly store: Store;
  /** A revision token, or empty. */
  readonly since: string;
  /** Throws where the reader may not watch; asked again at every event, for a right may end while somebody watches. */
  readonly assertPermitted: (snapshot: Snapshot) => void;
  readonly limits?: TailLimits;
}

/** Records in one part of a graph. */
const partSize = 1_000;
/** Change sets read from history in one go. */
const batchSize = 500;

/**
 * Yields until the signal aborts, and returns then. A part of a graph with `first` begins anew, also in the middle of
 * another graph: forget what was there before.
 * @throws PosternError INVALID_REVISION_TOKEN, LIMIT_EXCEEDED (more is pending for this reader than the limits allow),
 * and what assertPermitted throws
 */
export async function* watch(options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
  const { replica, since, assertPermitted } = options;
  const asked = since === '' ? undefined : parseRevision(since, 'since');
  if (signal.aborted) return;
  const tail = new Tail(replica, options.limits ?? defaultTailLimits);
  const close = () => tail.close();
  signal.addEventListener('abort', close, { once: true });
  let reached: Revision | undefined;
  try {
    let graph = replica.current;
    if (graph !== undefined && asked !== undefined) {
      assertPermitted(graph);
      const catchUp = new CatchUp(options.store, replica.tenant, asked, graph.revision);
      for await (const event of catchUp.events(tail)) {
        assertPermitted(replica.current ?? graph);
        reached = event.changeSet.revision;
        yield event;
      }
      if (catchUp.outcome === 'reached') {
        reached = asked.number > graph.revision.number ? asked : graph.revision;
        graph = undefined;
      } else graph = tail.restart();
    }
    for (;;) {
      if (graph !== undefined) {
        reached = undefined;
        for await (const event of partsOf(graph, tail)) {
          assertPermitted(replica.current ?? graph);
          yield event;
          if (event.last) reached = graph.revision;
        }
        graph = undefined;
      }
      const event = await tail.next();
      if (event === undefined) return;
      if (event.kind === 'overflow') throw tooSlow(reached);
      assertPermitted(event.snapshot);
      if (event.kind === 'graph') graph = event.snapshot;
      else if (reached !== undefined && isNextOf(reached, event.changeSet)) {
        reached = event.changeSet.revision;
        yield { kind: 'changes', changeSet: event.changeSet };
      } else if (!isHeld(reached, event.changeSet.revision)) graph = tail.restart();
    }
  } finally {
    signal.removeEventListener('abort', close);
    tail.close();
  }
}

type ChangesEvent = Extract<WatchEvent, { kind: 'changes' }>;
type GraphEvent = Extract<WatchEvent, { kind: 'graph' }>;

/** The way from a revision that a reader has to that of a snapshot, by history. */
class CatchUp {
  /** Whether it led there; only then is there nothing to begin anew. */
  outcome: 'reached' | 'impossible' = 'impossible';
  readonly #store: Store;
  readonly #tenant: string;
  readonly #since: Revision;
  readonly #to: Revision;

  constructor(store: Store, tenant: string, since: Revision, to: Revision) {
    this.#store = store;
    this.#tenant = tenant;
    this.#since = since;
    this.#to = to;
  }

  async *events(tail: Tail): AsyncGenerator<ChangesEvent, void> {
    let at = this.#since;
    if (at.number > 0 && at.epoch !== this.#to.epoch) return;
    if (at.number > this.#to.number && !(await this.#storeHas(at))) return;
    if (at.number > 0 && at.number === this.#to.number && !isSameRevision(at, this.#to)) return;
    while (at.number < this.#to.number) {
      const batch = await this.#read(at);
      if (batch === undefined || batch.length === 0) return;
      for (const changeSet of batch) {
        const { epoch, number } = changeSet.revision;
        // What is after the snapshot comes by the tail.
        if (number > this.#to.number) break;
        if (epoch !== this.#to.epoch || !isNextOf(at, changeSet) || tail.isSuperseded) return;
        yield { kind: 'changes', changeSet };
        at = changeSet.revision;
      }
    }
    this.outcome = 'reached';
  }

  /** The reader may be ahead of this replica, but not of the store: that has lost what the reader knows. */
  async #storeHas(revision: Revision): Promise<boolean> {
    return (await this.#read(revision)) !== undefined;
  }

  #read(since: Revision) {
    return unlessFailed(() => this.#store.changesSince(this.#tenant, since, batchSize));
  }
}

/** A store that is away or broken costs the short way only: the graph is in memory. */
async function unlessFailed<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PosternError) return undefined;
    throw error;
  }
}

/** The records of a snapshot in parts; ends early where the tail has something newer in its place. */
async function* partsOf(snapshot: Snapshot, tail: Tail): AsyncGenerator<GraphEvent, void> {
  const revision = formatRevision(snapshot.revision);
  let first = true;
  let records: EntityRecord[] = [];
  for (const record of recordsOf(snapshot)) {
    if (records.length === partSize) {
      yield { kind: 'graph', revision, first, last: false, records };
      first = false;
      records = [];
      await nextTurn();
    }
    if (tail.isSuperseded) return;
    records.push(record);
  }
  yield { kind: 'graph', revision, first, last: true, records };
}

/** Whether a reader who is at a revision has this one already. */
function isHeld(reached: Revision | undefined, revision: Revision): boolean {
  return reached !== undefined && reached.epoch === revision.epoch && revision.number <= reached.number;
}

function tooSlow(reached: Revision | undefined): PosternError {
  const revision = reached === undefined ? '' : formatRevision(reached);
  const goOn = revision === '' ? 'watch again from the start' : `watch again since ${revision}`;
  return new PosternError('LIMIT_EXCEEDED', `too many change sets are waiting for this reader; read faster, ${goOn}`, {
    revision,
  });
}
