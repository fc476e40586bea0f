/** Readiness of tenants whose policies may be of any age. */
import { Readiness } from '../../src/pdp/readiness.ts';
import type { Tenants } from '../../src/replica/tenants.ts';

export function readinessOf(tenants: Tenants): Readiness {
  return new Readiness({ tenants, maxStalenessMs: Number.POSITIVE_INFINITY, refuses: false, onStale: () => {} });
}
