/** Records compiled in this process, for commands that judge a graph without a sidecar. */
import { graphOptions } from '../condition/graph-options.ts';
import { applyChanges } from '../graph/apply.ts';
import { emptySnapshot, type Snapshot } from '../graph/snapshot.ts';
import type { EntityRecord } from '../model/entity.ts';

/** @throws PosternError INVALID_POLICY for records that do not compile */
export function snapshotOf(records: readonly EntityRecord[]): Snapshot {
  const changes = records.map((record) => ({ op: 'put', record }) as const);
  return applyChanges(emptySnapshot(graphOptions), changes, { epoch: '0', number: 0 });
}
