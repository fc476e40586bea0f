/**
 * Every key and channel that Postern uses in Redis. All keys of a tenant share
 * the hash tag {tenant}, so that one script may touch them in a Cluster.
 * Nobody else may spell a key.
 */
import { type EntityKind, entityKinds } from '../../model/entity.ts';
import { checked, problemOfTenant } from '../../model/names.ts';

export interface TenantKeys {
  readonly tenant: string;
  /**
   * Hash: epoch, revision, the revision's number again with its nonce (nonce), the kinds that have records, where history
   * is cut next (mark, markBytes), and the revision that deleted the tenant last (deleted).
   */
  readonly head: string;
  /** Stream: the change sets; the entries of revision n are n-0, n-1, ... */
  readonly changes: string;
  /** Channel (not a key): one message for each change set. */
  readonly channel: string;
  /** Stream: the decision log. */
  readonly decisions: string;
  /** One hash for each kind: entity key -> record as JSON. */
  readonly records: Readonly<Record<EntityKind, string>>;
  /** The same, in the order of entityKinds. */
  readonly recordList: readonly string[];
}

/** Set of the tenants that were ever written, deleted ones too. In a Cluster it lives in a slot of its own. */
export const tenantsKey = 'postern:tenants';

/** @throws PosternError INVALID_TENANT: a brace in a tenant's name would move its keys to other slots. */
export function tenantKeys(tenant: string): TenantKeys {
  checked(tenant, problemOfTenant(tenant), 'INVALID_TENANT', 'tenant');
  const prefix = `postern:{${tenant}}:`;
  const recordList = entityKinds.map((kind) => prefix + kind);
  return {
    tenant,
    head: `${prefix}head`,
    changes: `${prefix}changes`,
    channel: `${prefix}changes`,
    decisions: `${prefix}decisions`,
    records: Object.fromEntries(entityKinds.map((kind) => [kind, prefix + kind])) as Record<EntityKind, string>,
    recordList,
  };
}

/** List: the parts of one large commit, until it is made. */
export function stagingKey(keys: TenantKeys, commitId: string): string {
  return `postern:{${keys.tenant}}:staging:${commitId}`;
}
