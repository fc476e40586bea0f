/** What a tenant is beside its roles, members, objects and bindings, and how many of those there are. */
import { formatRevision } from '../../model/change.ts';
import type { TenantFacts } from '../api.ts';
import type { ReadGate } from './gate.ts';

/** Types, attributes, hooks and constraints come in the order of their names. @throws PosternError NOT_PERMITTED */
export function tenantFacts(gate: ReadGate): TenantFacts {
  gate.tenantRead();
  const { snapshot, tenant } = gate;
  return {
    tenant,
    revision: formatRevision(snapshot.revision),
    mode: snapshot.mode,
    types: sortedBy([...snapshot.typeRecords.values()], (type) => type.name),
    attributes: sortedBy([...snapshot.attributeRecords.values()], (attribute) => attribute.name),
    hooks: sortedBy([...snapshot.hooks.values()], (hook) => hook.type),
    constraints: sortedBy([...snapshot.constraints.values()], (constraint) => constraint.name),
    roleCount: snapshot.roles.reduce((count, role) => (role === undefined ? count : count + 1), 0),
    memberCount: snapshot.counts.members,
    objectCount: snapshot.counts.objects,
    bindingCount: snapshot.counts.bindings,
  };
}

function sortedBy<T>(records: readonly T[], nameOf: (record: T) => string): readonly T[] {
  return records.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
