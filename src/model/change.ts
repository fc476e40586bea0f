/** Changes to the graph, change sets, and the numbers that order them. */
import { type EntityKind, type EntityRecord, entityKey } from './entity.ts';
import { PosternError } from './errors.ts';
import { quote } from './names.ts';

/**
 * One put or delete in the graph. Deleting what is not there is no change. `before` is the same record as it was
 * until then, for whoever reads history: nothing that decides looks at it, and nobody checks that it is true.
 */
export type Change =
  | { readonly op: 'put'; readonly record: EntityRecord; readonly before?: EntityRecord }
  | { readonly op: 'delete'; readonly kind: EntityKind; readonly key: string; readonly before?: EntityRecord };

/** Whether `before` is a record of another identity than the one that changes. */
export function hasForeignBefore(change: Change): boolean {
  const { before } = change;
  if (before === undefined) return false;
  const kind = change.op === 'put' ? change.record.kind : change.kind;
  return before.kind !== kind || entityKey(before) !== (change.op === 'put' ? entityKey(change.record) : change.key);
}

/** A point in the history of a tenant. */
export interface Revision {
  /** The random id of this history of numbers: letters and digits. */
  readonly epoch: string;
  /** The number of the last change set; 0 is the empty graph. */
  readonly number: number;
  /**
   * Letters and digits that its commit drew at random: a failover that loses commits gives their numbers out again, to
   * other ones. Absent for number 0, and where the writer gave none.
   */
  readonly nonce?: string;
}

/** Whether two are one point in history, as far as can be told: a nonce that is not known could be any. */
export function isSameRevision(a: Revision, b: Revision): boolean {
  return a.epoch === b.epoch && a.number === b.number && mayBeSameNonce(a.nonce, b.nonce);
}

/** Whether two nonces of one number may be of one commit. */
export function mayBeSameNonce(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

/**
 * Whether a change set was made on the graph at a revision: it has the next number, and does not say that it was made
 * on another commit. The number 0 is the empty graph in every epoch.
 */
export function isNextOf(held: Revision, { revision, after }: Pick<ChangeSet, 'revision' | 'after'>): boolean {
  if (held.number + 1 !== revision.number) return false;
  return held.number === 0 || (held.epoch === revision.epoch && mayBeSameNonce(held.nonce, after));
}

/** An atomic list of changes, as committed. */
export interface ChangeSet {
  /** The revision that this change set made. */
  readonly revision: Revision;
  /** The nonce of the revision that it was made on; absent where that has none. */
  readonly after?: string;
  readonly changes: readonly Change[];
  /** Milliseconds since 1970, of the writer. */
  readonly at: number;
  /** Who committed it, for history; never used to decide. */
  readonly by?: string;
  /** Who acted on behalf of `by`, where that was somebody else. */
  readonly via?: string;
  /** Why, in the writer's words. */
  readonly why?: string;
}

const tokenPattern = /^([A-Za-z0-9]{1,64})\.(0|[1-9][0-9]{0,15})(?:\.([A-Za-z0-9]{1,64}))?$/;

/** The revision token: "epoch.number.nonce", or "epoch.number" where there is no nonce. Opaque to callers. */
export function formatRevision({ epoch, number, nonce }: Revision): string {
  return nonce === undefined ? `${epoch}.${number}` : `${epoch}.${number}.${nonce}`;
}

/**
 * Parses a token that a caller sent.
 * @throws PosternError INVALID_REVISION_TOKEN
 */
export function parseRevision(token: string, field: string): Revision {
  const match = tokenPattern.exec(token);
  if (match === null) {
    throw new PosternError(
      'INVALID_REVISION_TOKEN',
      `${field} ${quote(token)} is not a revision token; send one that an answer or a commit returned`,
      { field },
    );
  }
  const [, epoch = '', number, nonce] = match;
  return { epoch, number: Number(number), ...(nonce === undefined ? {} : { nonce }) };
}
