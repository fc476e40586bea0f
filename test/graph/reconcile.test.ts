// Shipped roles at an upgrade: created, changed, locked, removed with what names them; the user's own stay.
import { describe, expect, it } from 'vitest';
import { diff } from '../../src/graph/diff.ts';
import { reconcile } from '../../src/graph/reconcile.ts';
import type { EntityRecord, RoleRecord } from '../../src/model/entity.ts';

const role = (name: string, fields: Partial<RoleRecord> = {}): RoleRecord => ({
  kind: 'role',
  name,
  permissions: ['file:view'],
  ...fields,
});
const system = { system: true } as const;
const binding = (name: string, subject = 'user:ann'): EntityRecord => ({
  kind: 'binding',
  subject,
  role: name,
  scope: '*',
});

function roleNamed(records: readonly EntityRecord[], name: string): EntityRecord | undefined {
  return records.find((record) => record.kind === 'role' && record.name === name);
}

describe('an upgrade', () => {
  it('creates what is new, as a system role', () => {
    expect(reconcile([], { roles: [role('file.viewer')], prefixes: [] })).toEqual([role('file.viewer', system)]);
  });

  it('changes what is shipped differently, and keeps its bindings', () => {
    const before = [role('file.viewer', system), binding('file.viewer')];
    const shipped = role('file.viewer', { permissions: ['file:view', 'file:list'] });
    expect(reconcile(before, { roles: [shipped], prefixes: [] })).toEqual([
      binding('file.viewer'),
      { ...shipped, ...system },
    ]);
  });

  it('locks a role of the same name that somebody made by hand', () => {
    const after = reconcile([role('file.viewer', { permissions: ['*'] })], {
      roles: [role('file.viewer')],
      prefixes: [],
    });
    expect(after).toEqual([role('file.viewer', system)]);
  });

  it('removes what is not shipped any more, with its bindings and from whatever names it', () => {
    const before: EntityRecord[] = [
      role('file.old', system),
      role('file.viewer', system),
      role('mine', { includes: ['file.old', 'file.viewer'] }),
      role('mine too', { includes: ['file.old'] }),
      binding('file.old'),
      binding('mine'),
      { kind: 'hook', type: 'file', grants: [{ role: 'file.old', subject: 'creator' }] },
      {
        kind: 'hook',
        type: 'repo',
        grants: [
          { role: 'file.old', subject: 'creator' },
          { group: 'created', member: 'creator' },
        ],
      },
      { kind: 'constraint', name: 'two', roles: ['file.old', 'mine'] },
      { kind: 'constraint', name: 'three', roles: ['file.old', 'mine', 'file.viewer'] },
    ];
    const after = reconcile(before, { roles: [role('file.viewer')], prefixes: [] });
    expect(after).toEqual([
      role('mine', { includes: ['file.viewer'] }),
      role('mine too'),
      binding('mine'),
      { kind: 'hook', type: 'repo', grants: [{ group: 'created', member: 'creator' }] },
      { kind: 'constraint', name: 'three', roles: ['mine', 'file.viewer'] },
      role('file.viewer', system),
    ]);
  });

  it("keeps the user's own roles, also those whose names begin like shipped ones", () => {
    const after = reconcile([role('file.mine'), role('file.old', system)], { roles: [], prefixes: ['file.'] });
    expect(after).toEqual([role('file.mine')]);
  });

  it('leaves the system roles of other software alone', () => {
    const before = [role('rpm.viewer', system), role('file.old', system)];
    const after = reconcile(before, { roles: [role('file.viewer')], prefixes: ['file.'] });
    expect(roleNamed(after, 'rpm.viewer')).toEqual(role('rpm.viewer', system));
    expect(roleNamed(after, 'file.old')).toBeUndefined();
  });

  it('changes nothing when it is run again', () => {
    const shipment = { roles: [role('file.viewer'), role('file.owner')], prefixes: ['file.'] };
    const once = reconcile([role('file.old', system), role('mine', { includes: ['file.old'] })], shipment);
    expect(diff(once, reconcile(once, shipment))).toEqual([]);
  });
});
