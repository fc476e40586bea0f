/**
 * What an adapter can ask of one tenant at one revision. A view is pinned to a
 * snapshot: everything asked of it is answered from the same graph, and leaves
 * its record in the decision log. Adapters translate to and from it, nothing else.
 */
import type { Source } from '../decision-log/log.ts';
import type { Path } from '../engine/explain.ts';
import type { SubjectQuestion } from '../engine/list-subjects.ts';
import type { Steps } from '../engine/steps.ts';
import type { Mode } from '../model/entity.ts';
import type { Decision, Query } from '../model/query.ts';
import type { Readiness } from './readiness.ts';

/** What is known of a call beyond its questions, for the record. */
export interface Call {
  readonly source: Source;
  /** Peer address, or "unix". */
  readonly caller: string;
  /** 32 hex digits, or empty. */
  readonly traceId: string;
}

export interface ObjectList {
  /** The whole scopes on which the action is granted, as canonical texts. */
  readonly scopes: readonly string[];
  readonly decisionId: string;
  /** Yields the objects in parts, and undefined to pause; the list is recorded when it ends or is returned early. */
  readonly parts: Iterator<readonly string[] | undefined, string>;
}

export interface SubjectList {
  readonly subjects: readonly string[];
  readonly wildcards: readonly string[];
  readonly nextPageToken: string;
  readonly decisionId: string;
}

export interface ActionList {
  readonly actions: readonly string[];
  readonly patterns: readonly string[];
  readonly decisionId: string;
}

export interface Explanation {
  readonly decision: Decision;
  readonly path: Path | undefined;
  readonly summary: string;
}

export interface Page {
  /** 0: all objects of ListObjects; the default size of ListSubjects. */
  readonly size: number;
  /** Empty: from the start. */
  readonly token: string;
}

/**
 * Everything throws PosternError for a malformed question, naming the field behind `fieldPrefix` ("checks[3]."); what
 * is answered in steps throws from them, and is recorded with the last.
 */
export interface View {
  /** Revision token of the snapshot. */
  readonly revision: string;
  readonly mode: Mode;
  /**
   * How long before the view was asked for its snapshot was last known to be the store's newest, in milliseconds below
   * 2^31; 0 where it was then.
   */
  readonly dataAgeMs: number;
  check(query: Query, call: Call, fieldPrefix?: string): Decision;
  listObjects(query: Omit<Query, 'object'>, type: string, page: Page, call: Call): Steps<ObjectList>;
  listSubjects(question: SubjectQuestion, type: string, page: Page, call: Call): Steps<SubjectList>;
  listActions(query: Omit<Query, 'action'>, call: Call): Steps<ActionList>;
  explain(query: Query, call: Call): Explanation;
}

export interface Pdp {
  /** Whether the decision log has no room, and questions wait for it: the operator chose so. */
  readonly mustWait: boolean;
  /**
   * The view that answers for a tenant now. Returns at once (no promise) unless `atLeast` has to be waited for, the
   * decision log has no room, or, where every tenant of a store is served, the tenant has to be looked for.
   * @param tenant Empty where the sidecar was told one tenant to serve.
   * @param atLeast A revision token, or empty.
   * @param signal Ends the wait: deadline or cancellation.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT, NOT_READY, STALE, LOG_FULL, REVISION_NOT_REACHED, REVISION_OF_OTHER_EPOCH, REVISION_LOST, INVALID_REVISION_TOKEN
   */
  view(tenant: string, atLeast: string, signal?: AbortSignal): View | Promise<View>;
  readonly readiness: Pick<Readiness, 'ready' | 'loaded' | 'onChange' | 'report'>;
}
