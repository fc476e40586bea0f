/** Snapshots and gates for the tests of reading. */
import type { Page } from '../../../src/admin/api.ts';
import { createReadGate, type ReadGate } from '../../../src/admin/reads/gate.ts';
import { graphOptions } from '../../../src/condition/graph-options.ts';
import { applyChanges } from '../../../src/graph/apply.ts';
import { emptySnapshot, type Snapshot } from '../../../src/graph/snapshot.ts';
import type { BindingRecord, EntityRecord, MemberRecord } from '../../../src/model/entity.ts';

export const whole: Page = { size: 0, token: '' };
/** The time at which these tests ask. */
export const nowMs = 1_000_000;

export const role = (name: string, ...permissions: string[]): EntityRecord => ({ kind: 'role', name, permissions });

export const bind = (
  subject: string,
  name: string,
  scope: BindingRecord['scope'] = '*',
  more: Partial<BindingRecord> = {},
): BindingRecord => ({ kind: 'binding', subject, role: name, scope, ...more });

export const join = (group: string, member: string, more: Partial<MemberRecord> = {}): MemberRecord => ({
  kind: 'member',
  group,
  member,
  ...more,
});

export function snapshotOf(records: readonly EntityRecord[], base = emptySnapshot(graphOptions)): Snapshot {
  const revision = { epoch: 'test', number: base.revision.number + 1 };
  return applyChanges(
    base,
    records.map((record) => ({ op: 'put', record })),
    revision,
  );
}

export function gateFor(snapshot: Snapshot, subject = 'operator'): ReadGate {
  const reader = subject === 'operator' ? { subject: 'service:root', operator: true } : { subject, operator: false };
  return createReadGate({ tenant: 'default', snapshot, reader, nowMs });
}
