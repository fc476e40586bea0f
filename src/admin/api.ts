/**
 * What an adapter can ask of administration: the shapes of requests and answers, and nothing else. Adapters translate
 * to and from them; administration.ts implements them. Everything throws PosternError.
 */
import type { Identity } from '../authn/identity.ts';
import type { Change, ChangeSet } from '../model/change.ts';
import type {
  AttributeRecord,
  BindingRecord,
  ConstraintRecord,
  EntityRecord,
  GroupRecord,
  HookRecord,
  MemberRecord,
  Mode,
  ObjectRecord,
  ParentEdge,
  RoleRecord,
  TypeRecord,
} from '../model/entity.ts';

/** Makes an object, a subject or a group, and what the hooks of its type grant. */
export interface Creation {
  readonly op: 'create';
  readonly object: string;
  readonly parents?: readonly ParentEdge[];
  /** Groups only. */
  readonly description?: string;
}

/** Removes an object, a subject or a group with all that is bound to it. */
export interface Removal {
  readonly op: 'remove';
  readonly object: string;
}

/** A change as a caller asks for it. */
export type RequestedChange = Change | Creation | Removal;

export interface CommitRequest {
  /** Empty where the sidecar serves exactly one. */
  readonly tenant: string;
  readonly changes: readonly RequestedChange[];
  /** A revision token, or empty. */
  readonly expected: string;
  readonly why: string;
  readonly dryRun: boolean;
  /** The subject to act for, or empty. */
  readonly onBehalfOf: string;
  readonly allowNoAdministrator: boolean;
}

/** What a change set does to one record. */
export interface RecordChange {
  readonly before: EntityRecord | undefined;
  readonly after: EntityRecord | undefined;
  readonly widens: boolean;
}

export interface CommitResult {
  /** The revision token that was made; in a dry run that of the graph it was judged on. */
  readonly revision: string;
  readonly changes: readonly RecordChange[];
}

export interface Page {
  /** 0: the default size. */
  readonly size: number;
  /** Empty: from the start. */
  readonly token: string;
}

/** What every read takes. */
export interface ReadOptions {
  readonly tenant: string;
  readonly page: Page;
  /** A revision token, or empty. */
  readonly atLeast: string;
  readonly onBehalfOf: string;
}

export interface Listed<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
  /** The revision token of the snapshot that answered. */
  readonly revision: string;
}

/** Empty texts filter nothing. */
export interface RoleFilter {
  readonly name: string;
  readonly containsPermissions: readonly string[];
  readonly objectType: string;
  readonly system: boolean | undefined;
}

export interface MemberFilter {
  readonly group: string;
  readonly member: string;
  readonly transitive: boolean;
}

export interface BindingFilter {
  readonly subject: string;
  readonly throughGroups: boolean;
  readonly role: string;
  readonly object: string;
  readonly inherited: boolean;
  /** As on the wire: canonical text, or JSON for the long forms. */
  readonly scope: string;
}

export interface ObjectFilter {
  readonly type: string;
  readonly parent: string;
  readonly object: string;
}

export interface ChangeSetFilter {
  readonly by: string;
  readonly subject: string;
  readonly role: string;
  readonly object: string;
}

export interface TenantFacts {
  readonly tenant: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly types: readonly TypeRecord[];
  readonly attributes: readonly AttributeRecord[];
  readonly hooks: readonly HookRecord[];
  readonly constraints: readonly ConstraintRecord[];
  readonly roleCount: number;
  readonly memberCount: number;
  readonly objectCount: number;
  readonly bindingCount: number;
}

/** The graph by parts, and then every change set as it comes. */
export type WatchEvent =
  | {
      readonly kind: 'graph';
      readonly revision: string;
      readonly first: boolean;
      readonly last: boolean;
      readonly records: readonly EntityRecord[];
    }
  | { readonly kind: 'changes'; readonly changeSet: ChangeSet };

/** What a caller may have done; every method authorises first. */
export interface Administration {
  /** @throws NOT_PERMITTED, INVALID_CHANGE, ALREADY_EXISTS, NOT_FOUND, LAST_ADMINISTRATOR, READ_ONLY, REVISION_CONFLICT, STORE_UNAVAILABLE */
  commit(caller: Identity, request: CommitRequest, signal?: AbortSignal): Promise<CommitResult>;
  getTenant(caller: Identity, options: Omit<ReadOptions, 'page'>, signal?: AbortSignal): Promise<TenantFacts>;
  listRoles(
    caller: Identity,
    options: ReadOptions,
    filter: RoleFilter,
    signal?: AbortSignal,
  ): Promise<Listed<RoleRecord>>;
  listGroups(
    caller: Identity,
    options: ReadOptions,
    filter: { readonly name: string },
    signal?: AbortSignal,
  ): Promise<Listed<GroupRecord>>;
  listMembers(
    caller: Identity,
    options: ReadOptions,
    filter: MemberFilter,
    signal?: AbortSignal,
  ): Promise<Listed<MemberRecord>>;
  listBindings(
    caller: Identity,
    options: ReadOptions,
    filter: BindingFilter,
    signal?: AbortSignal,
  ): Promise<Listed<BindingRecord>>;
  listObjects(
    caller: Identity,
    options: ReadOptions,
    filter: ObjectFilter,
    signal?: AbortSignal,
  ): Promise<Listed<ObjectRecord>>;
  /** Newest first; `trimmed` where older ones are not kept any more. */
  listChangeSets(
    caller: Identity,
    options: ReadOptions,
    filter: ChangeSetFilter,
    signal?: AbortSignal,
  ): Promise<Listed<ChangeSet> & { readonly trimmed: boolean }>;
  /**
   * Yields until the signal aborts. Who reads too slowly is told LIMIT_EXCEEDED.
   * @param since A revision token, or empty.
   */
  watch(
    caller: Identity,
    request: { readonly tenant: string; readonly since: string; readonly onBehalfOf: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  listTenants(caller: Identity, onBehalfOf: string, signal?: AbortSignal): Promise<readonly string[]>;
  createTenant(
    caller: Identity,
    request: Pick<CommitRequest, 'tenant' | 'changes' | 'why' | 'dryRun'>,
  ): Promise<CommitResult>;
  deleteTenant(
    caller: Identity,
    request: Pick<CommitRequest, 'tenant' | 'expected' | 'why'>,
  ): Promise<{ readonly revision: string; readonly records: number }>;
}
