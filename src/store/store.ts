/**
 * What a store promises. Two implementations stand behind it, memory and Redis,
 * and one conformance suite holds both to every sentence here. The replica
 * reads through it; the CLI and later the policy service write through it.
 *
 * A store orders change sets; it does not judge them. Whoever commits has
 * validated the graph that results (graph/validate.ts) at the revision that it
 * states as expected.
 */
import type { FlatGraph } from '../graph/flat/graph.ts';
import {
  type Change,
  type ChangeSet,
  formatRevision,
  hasForeignBefore,
  isSameRevision,
  type Revision,
} from '../model/change.ts';
import { entityKey } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';

/**
 * Where a tenant without a history is. The number 0 is the empty graph in every
 * epoch: whoever is here may apply revision 1 of any.
 */
export const emptyRevision: Revision = { epoch: 'none', number: 0 };

/** Receives what happens to one tenant, in order, on the event loop's own turns. */
export interface StoreListener {
  /** A change set was committed. Pub/sub may lose, repeat or delay: the receiver checks the number. */
  onChangeSet(changeSet: ChangeSet): void;
  /** The store is at this revision, but the changes were too large to be sent along: read them with changesSince. */
  onHead(head: Revision): void;
  /** Following began, or began again after a loss: anything may have been missed, compare with head(). */
  onConnected(): void;
  /** Following was lost, or could not begin; the store goes on trying by itself, with jitter. Once for each loss. */
  onDisconnected(reason: string): void;
  /** Something arrived that is not a message of this store, and was passed over: a change set may be missing. */
  onProblem?(error: PosternError): void;
}

/** Signs of life of the store over what is followed, for whoever says how old his data may be. */
export interface Pulse {
  /** When the last one came, by performance.now(); Infinity where the store is in this process. */
  readonly lastMs: number;
  /** The longest that lies between two while all is well, in milliseconds. */
  readonly mostMs: number;
}

export interface Subscription {
  readonly pulse: Pulse;
  /** Ends following; idempotent. */
  close(): Promise<void>;
}

export interface CommitOptions {
  /**
   * Refuse with REVISION_CONFLICT unless the tenant is at this revision, of this nonce where both are known. Number 0
   * with any epoch means "is empty".
   */
  readonly expected?: Revision;
  /** Who commits; kept in the history. */
  readonly by?: string;
  /** Who acted on behalf of `by`; kept in the history. */
  readonly via?: string;
  /** Why; kept in the history. */
  readonly why?: string;
  /** Called as parts of a large change set are handed over; the commit itself stays one atomic step. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A whole graph that was built in another thread. */
export interface FlatLoad {
  /** May hold of each record what it was before or after a change in `since`. */
  readonly flat: FlatGraph;
  /** What was committed while it was read, oldest first: applied to `flat`, in order, they give the graph at `revision`. */
  readonly since: readonly ChangeSet[];
  readonly revision: Revision;
}

export interface FlatLoadOptions {
  /** Questions are answered meanwhile: let them go first. */
  readonly background: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export interface Store {
  /** Words for logs and messages, without secrets: "memory", "redis://127.0.0.1:6379/0". */
  readonly description: string;

  /** The revision a tenant is at, or undefined where it has no history. @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT */
  head(tenant: string): Promise<Revision | undefined>;

  /**
   * Hands over the whole graph in batches of changes that, applied in order to
   * an empty graph, give the graph at the returned revision. A record may come
   * more than once. An empty tenant gives no batch and `emptyRevision`. Commits
   * go on meanwhile.
   * @param onRestart Called where history was cut off under a load in progress: forget what was handed over, it
   * begins again (a bounded number of times). Without it, that is STORE_UNAVAILABLE: load again.
   * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT (naming the record)
   */
  load(
    tenant: string,
    onBatch: (changes: readonly Change[]) => void | Promise<void>,
    onRestart?: () => void,
  ): Promise<Revision>;

  /**
   * The same, for large graphs: built in another thread while this one goes on. Undefined where the graph is so small
   * that load() is cheaper, or there is none; stores that have nothing to gain have no such method.
   * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT (naming the record), INVALID_POLICY (a condition that does not
   * compile); what the signal was aborted with
   */
  loadFlat?(tenant: string, options: FlatLoadOptions): Promise<FlatLoad | undefined>;

  /**
   * Resolves when whoever has a graph to answer from should load again, where all who follow the tenant have to at once:
   * a store that is shared must not be asked by all of them in the same moment. Stores that are not have no such method.
   * @throws PosternError STORE_UNAVAILABLE; what the signal was aborted with
   */
  awaitReload?(tenant: string, signal: AbortSignal): Promise<void>;

  /**
   * The change sets after a revision, oldest first, at most `limit` (fewer where they are large, but never none
   * while there is one); empty when there are none; undefined where history no longer reaches back that far,
   * ends before it, is of another epoch, or has another commit at that number (told by its nonce): load again.
   * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT
   */
  changesSince(tenant: string, since: Revision, limit: number): Promise<readonly ChangeSet[] | undefined>;

  /**
   * The change sets before a revision, newest first: the one before it first, or the newest where `before` is undefined
   * or beyond the head. At most `limit` (fewer where they are large, but never none while there is one): ask on with the
   * last one's revision until nothing comes. It never has a gap: it ends where history was cut off, so where a part of
   * a change set was. Empty where there is none, and where `before` is of another epoch.
   * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT
   */
  changesBefore(tenant: string, before: Revision | undefined, limit: number): Promise<readonly ChangeSet[]>;

  /**
   * Commits atomically and tells every follower. A list without changes makes a revision, too. What a change says of the
   * record before it is kept in history and told to followers as it is.
   * @throws PosternError REVISION_CONFLICT (nothing was written), STORE_UNAVAILABLE (outcome unknown if the
   * connection broke after sending), LIMIT_EXCEEDED; INTERNAL where a `before` is a record of another identity
   */
  commit(tenant: string, changes: readonly Change[], options?: CommitOptions): Promise<Revision>;

  /** Follows one tenant until closed. Returns at once; onConnected tells when following is in force. */
  follow(tenant: string, listener: StoreListener): Subscription;

  /**
   * Deletes a tenant: one last change set deletes every record, each with what it was before, and in the same step the
   * tenant leaves the list of tenants. Whoever follows ends with an empty graph. Head and history stay, so that numbers
   * go on where it is written again; any commit after that, by whomever, puts it on the list again. Decisions stay.
   * @returns The revision of the deletion.
   * @throws PosternError NOT_FOUND (no history, or deleted already), REVISION_CONFLICT (nothing was written; without an
   * expectation only where others go on writing), LIMIT_EXCEEDED (more records than changes in a change set),
   * STORE_UNAVAILABLE as commit, STORE_CORRUPT
   */
  deleteTenant(tenant: string, options?: CommitOptions): Promise<Revision>;

  /** Tenants that have a history and are not deleted, sorted. */
  tenants(): Promise<readonly string[]>;

  /** Ends connections and followers; idempotent. */
  close(): Promise<void>;
}

/** Refuses a commit whose expectation does not hold. @throws PosternError REVISION_CONFLICT */
export function checkExpected(tenant: string, expected: Revision | undefined, head: Revision | undefined): void {
  if (expected === undefined) return;
  const holds =
    expected.number === 0 ? (head?.number ?? 0) === 0 : head !== undefined && isSameRevision(expected, head);
  if (holds) return;
  throw conflict(tenant, expected, head);
}

/** The error of a commit that lost: what was expected, what is there, what to do. */
export function conflict(tenant: string, expected: Revision, head: Revision | undefined): PosternError {
  const at = head === undefined ? 'empty' : `at revision ${formatRevision(head)}`;
  return new PosternError(
    'REVISION_CONFLICT',
    `tenant ${tenant} is ${at}, not at ${formatRevision(expected)} as expected; nothing was written: read it again, and commit anew`,
    { tenant, expected: formatRevision(expected), revision: head === undefined ? '' : formatRevision(head) },
  );
}

/** Refuses a change whose `before` is another record: nobody could read it back. @throws PosternError INTERNAL */
export function checkBefore(change: Change): void {
  if (!hasForeignBefore(change)) return;
  const { kind, key } = change.op === 'put' ? { kind: change.record.kind, key: entityKey(change.record) } : change;
  throw new PosternError('INTERNAL', `a change of the ${kind} ${quote(key)} names another record as the one before it`);
}

/** The error of a deletion of what is not there. */
export function noSuchTenant(tenant: string): PosternError {
  return new PosternError('NOT_FOUND', `there is no tenant "${tenant}": it was deleted, or never written`, { tenant });
}
