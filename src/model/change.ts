/** Changes to the graph, change sets, and the numbers that order them. */
import type { EntityKind, EntityRecord } from './entity.ts';
import { PosternError } from './errors.ts';
import { quote } from './names.ts';

/** One put or delete in the graph. Deleting what is not there is no change. */
export type Change =
  | { readonly op: 'put'; readonly record: EntityRecord }
  | { readonly op: 'delete'; readonly kind: EntityKind; readonly key: string };

/** A point in the history of a tenant. */
export interface Revision {
  /** The random id of this history of numbers: letters and digits. */
  readonly epoch: string;
  /** The number of the last change set; 0 is the empty graph. */
  readonly number: number;
}

/** An atomic list of changes, as committed. */
export interface ChangeSet {
  /** The revision that this change set made. */
  readonly revision: Revision;
  readonly changes: readonly Change[];
  /** Milliseconds since 1970, of the writer. */
  readonly at: number;
  /** Who committed it, for history; never used to decide. */
  readonly by?: string;
  /** Why, in the writer's words. */
  readonly why?: string;
}

const tokenPattern = /^([A-Za-z0-9]{1,64})\.(0|[1-9][0-9]{0,15})$/;

/** The revision token: "epoch.number". Opaque to callers. */
export function formatRevision(revision: Revision): string {
  return `${revision.epoch}.${revision.number}`;
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
  return { epoch: match[1] as string, number: Number(match[2]) };
}
