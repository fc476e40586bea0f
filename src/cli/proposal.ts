/**
 * The graphs that `postern replay` decides on: a policy file, a tenant in Redis, or that tenant with a file of changes
 * made, as `postern commit` would make them. It must never write anywhere.
 */
import type { RequestedChange } from '../admin/api.ts';
import { planChanges } from '../admin/plan.ts';
import { applyChanges } from '../graph/apply.ts';
import { bindingsOf } from '../graph/records.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { entityKey } from '../model/entity.ts';
import { defaultTenant } from '../model/names.ts';
import type { FileChange } from '../policy-file/change-file.ts';
import { suggest } from '../policy-file/suggest.ts';
import { loadChanges } from './change-file.ts';
import { loadTenant, readGraph, withStore } from './graph-source.ts';
import type { LogPlace } from './log-options.ts';
import { snapshotOf } from './snapshot-of.ts';

export interface Proposal {
  readonly snapshot: Snapshot;
  /** Words for messages: "new.yaml", "changes.yaml on tenant default in redis://127.0.0.1:6379/0". */
  readonly description: string;
}

/** @param source A policy file, or the URL of a Redis. @throws PosternError INVALID_POLICY, STORE_UNAVAILABLE, INVALID_OPTION */
export async function readProposal(source: string, place: LogPlace): Promise<Proposal> {
  const { records, description } = await readGraph(source, place.tenant ?? defaultTenant, place);
  return { snapshot: snapshotOf(records), description };
}

/** @throws PosternError INVALID_CHANGE and what else a commit of an operator would be refused with; STORE_UNAVAILABLE */
export async function readChangedGraph(path: string, place: LogPlace): Promise<Proposal> {
  const { changes } = await loadChanges(path);
  const current = await withStore(place, (store) => loadTenant(store, place.tenant ?? defaultTenant));
  const snapshot = snapshotOf(current.records);
  const plan = planChanges({
    snapshot,
    changes: changes.map(({ change }) => toRequested(change)),
    subject: undefined,
    allowNoAdministrator: true,
    nowMs: Date.now(),
    suggest,
  });
  const after = applyChanges(snapshot, plan.changes, snapshot.revision);
  return { snapshot: after, description: `${path} on ${current.description}` };
}

function toRequested(change: FileChange): RequestedChange {
  if (change.op === 'delete') {
    return { op: 'delete', kind: change.record.kind, key: entityKey(change.record) };
  }
  if (change.op !== 'create' || change.description !== '') return change;
  return { op: 'create', object: change.object, parents: change.parents };
}

/** Whether a decision on the graph may depend on attributes. */
export function hasConditions(snapshot: Snapshot): boolean {
  for (const { extra } of bindingsOf(snapshot)) if (extra?.condition !== undefined) return true;
  return false;
}
