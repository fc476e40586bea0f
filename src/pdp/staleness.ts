/** What is said of a policy that may be behind its store. The PDP refuses with it, readiness tells of it. */
import { PosternError } from '../model/errors.ts';
import type { Replica } from '../replica/replica.ts';

/** Why the snapshot of a replica is not known to be the store's newest; says nothing where it is. */
export function reasonOf({ state, freshness }: Replica): string {
  return state.kind === 'behind' || state.kind === 'loading' ? state.reason : freshness.reason();
}

/** A policy that is older than the operator allows answers nothing: neither an allow nor a denial. */
export function stale(replica: Replica, ageMs: number, maxStalenessMs: number): PosternError {
  const { tenant } = replica;
  return new PosternError(
    'STALE',
    `the policy of tenant "${tenant}" was last known to be the newest ${ageMs / 1_000} s ago, and answers for ${maxStalenessMs / 1_000} s (${reasonOf(replica)}); try again, or another sidecar`,
    { tenant, data_age_ms: String(ageMs), max_staleness_ms: String(maxStalenessMs) },
  );
}
