/** The short forms of changes, as requests to administration. Called by run.ts. */
import type { RequestedChange } from '../../src/admin/api.ts';
import { type BindingRecord, type EntityRecord, entityKey, type ParentEdge } from '../../src/model/entity.ts';
import { parseInstant } from '../../src/policy-file/instant.ts';
import { policySchema } from '../../src/policy-file/schema.ts';
import { toRecords } from '../../src/policy-file/to-records.ts';
import type { WrittenChange } from './format.ts';

/** @throws Error where what is written is no change */
export function toChanges(change: WrittenChange): readonly RequestedChange[] {
  if ('grant' in change) return [put(toBinding(change.grant))];
  if ('revoke' in change) return [toDelete(toBinding(change.revoke))];
  if ('apply' in change) return recordsOf(change.apply).map(put);
  if ('put' in change) return [put(change.put as unknown as EntityRecord)];
  if ('delete' in change) return [toDelete(change.delete as unknown as EntityRecord)];
  if ('remove' in change) return [{ op: 'remove', object: change.remove }];
  if ('leave' in change) return [toDelete({ kind: 'member', ...change.leave })];
  if ('join' in change) {
    const { group, member, expires_at } = change.join;
    const expiresAt = expires_at === undefined ? undefined : parseInstant(expires_at);
    return [put({ kind: 'member', group, member, ...(expiresAt === undefined ? {} : { expiresAt }) })];
  }
  if ('move' in change) {
    const { object, parents } = change.move;
    return [put({ kind: 'object', object, ...(parents.length === 0 ? {} : { parents: parents.map(toEdge) }) })];
  }
  const { create } = change;
  if (typeof create === 'string') return [{ op: 'create', object: create }];
  const { object, parents, description } = create;
  return [
    {
      op: 'create',
      object,
      ...(parents === undefined ? {} : { parents: parents.map(toEdge) }),
      ...(description === undefined ? {} : { description }),
    },
  ];
}

function put(record: EntityRecord): RequestedChange {
  return { op: 'put', record };
}

function toDelete(record: EntityRecord): RequestedChange {
  return { op: 'delete', kind: record.kind, key: entityKey(record) };
}

function toEdge(parent: string | ParentEdge): ParentEdge {
  return typeof parent === 'string' ? { object: parent } : parent;
}

function toBinding(written: unknown): BindingRecord {
  return recordsOf({ bindings: [written] })[0] as BindingRecord;
}

function recordsOf(sections: Readonly<Record<string, unknown>>): readonly EntityRecord[] {
  return toRecords(policySchema.parse({ version: 1, ...sections })).records;
}
