/** Reading the decision log through the sidecar, from where its own sink writes. */
import { createDecisionReads, type DecisionReads } from '../admin/decisions.ts';
import { decisionLogKind } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { createFileSource } from '../decision-log/query/file-source.ts';
import type { LogSource } from '../decision-log/query/source.ts';
import { createStreamSource } from '../decision-log/query/stream-source.ts';
import type { RedisAccess } from '../store/redis/access.ts';
import { connect } from '../store/redis/connection.ts';
import { createDecisionPoller } from '../store/redis/decision-client.ts';
import type { Store } from '../store/store.ts';
import type { ServedTenants } from './served-tenants.ts';

export interface OpenDecisionReads {
  readonly decisions: DecisionReads;
  close(): void;
}

/** @param redis Undefined where decisions do not go there. */
export function openDecisionReads(
  options: ServeOptions,
  redis: RedisAccess | undefined,
  store: Store,
  { tenants }: ServedTenants,
): OpenDecisionReads {
  const { source, close } = openSource(options, redis);
  const listTenants = () => store.tenants();
  return { decisions: createDecisionReads({ tenants, source, listTenants, now: Date.now }), close };
}

function openSource(options: ServeOptions, redis: RedisAccess | undefined): { source: LogSource; close(): void } {
  if (decisionLogKind(options) === 'file') return { source: createFileSource(options.decisionLogDir), close() {} };
  // A connection of its own: whoever reads must not hold up the policy, nor what is written.
  const { target, options: connecting } = redis as RedisAccess;
  const connection = connect(target, connecting);
  return { source: createStreamSource(createDecisionPoller(connection)), close: () => connection.close() };
}
