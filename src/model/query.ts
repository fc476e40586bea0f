/** A question, and its answer. */
import type { Attributes } from './condition.ts';
import type { Mode } from './entity.ts';

/** Why a decision is what it is; the closed set of SPEC "The decision". */
export type Reason =
  | 'ALLOWED'
  | 'EXPLICIT_DENY'
  | 'CONDITION_NOT_MET'
  | 'ROLE_LACKS_PERMISSION'
  | 'NO_ROLE'
  | 'ENFORCEMENT_OFF';

/** How far a question looks up from the object. */
export type Reach = 'inherited' | 'exact';

/** One question. Names are legal (see names.ts) by the time the engine sees them, or unknown to the graph. */
export interface Query {
  readonly subject: string;
  readonly action: string;
  /** Empty asks about the tenant as a whole. */
  readonly object: string;
  readonly reach: Reach;
  /** Groups that the caller asserts, as "group:<id>". */
  readonly assertedGroups: readonly string[];
  /** The roles that are active, as in a session; absent or empty: all of them. See SPEC "Constraints". */
  readonly activeRoles?: readonly string[] | undefined;
  /** What the caller knows beyond names, for conditions. */
  readonly attributes?: Attributes | undefined;
}

/** What the engine found; the tenant's mode is not applied yet. */
export interface Verdict {
  readonly allowed: boolean;
  readonly reason: Reason;
  /** Identity of the deciding binding (see bindingKey), of the closest for a denial, or empty. */
  readonly binding: string;
}

/** What the caller is told. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  readonly binding: string;
  /** A ULID. */
  readonly decisionId: string;
  /** What mode enforce would have answered. */
  readonly enforcedAllowed: boolean;
  readonly mode: Mode;
}
