/**
 * Validation of static separation of duty over the records of a whole graph. Called by validate.ts. Each problem is
 * told at the record nearest the subject that brings in one of the roles: its own binding or membership.
 */
import type { ConstraintRecord, EntityRecord } from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { type Authorisations, cardinalityOf, createSeparation, isStatic, type Way } from './separation.ts';
import type { Problem, ProblemList } from './validate-report.ts';
import { listed, plain, shortened } from './validate-text.ts';

export function checkConstraints(records: readonly EntityRecord[], list: ProblemList): void {
  const constraints = records.filter((record) => record.kind === 'constraint').filter(isStatic);
  if (constraints.length === 0) return;
  const graph = indexRecords(records);
  const { violatedBy, waysOf } = createSeparation(constraints, graph);
  for (const subject of graph.subjects) {
    for (const constraint of violatedBy(subject)) {
      if (list.isFull()) {
        list.omit();
        continue;
      }
      const ways = waysOf(subject, constraint);
      const index = Math.max(0, ...ways.map((way) => graph.indexOf(way)));
      const record = records[index] as EntityRecord;
      list.report({ record, index }, fieldOf(record), describeConflict(constraint, subject, ways));
    }
  }
}

/** `separation of duty "payments": user:bob would have cashier and auditor (through group:ops); nobody may have 2 of ...`. */
export function describeConflict(constraint: ConstraintRecord, subject: string, ways: readonly Way[]): string {
  const roles = listed(ways.map(describeWay), 'and');
  const rule = `nobody may have ${cardinalityOf(constraint)} of ${listed(constraint.roles.map(plain))}`;
  return `separation of duty ${quote(constraint.name)}: ${plain(subject)} would have ${roles}; ${rule}`;
}

function describeWay({ role, bound, principals }: Way): string {
  const above = shortened(principals.slice(1));
  const hows = [
    ...(above.length === 0 ? [] : [`through ${above.join(', ')}`]),
    ...(bound === role ? [] : [`role ${plain(bound)} includes it`]),
  ];
  return hows.length === 0 ? plain(role) : `${plain(role)} (${hows.join('; ')})`;
}

function fieldOf(record: EntityRecord): Problem['field'] {
  if (record.kind === 'binding') return ['role'];
  return record.kind === 'member' ? ['member'] : [];
}

interface IndexedRecords extends Authorisations {
  /** Everybody and every wildcard that a binding or a membership names as the one who gets something. */
  readonly subjects: Iterable<string>;
  /** The position of the record with which a way begins; -1 where it begins with a wildcard. */
  readonly indexOf: (way: Way) => number;
}

/** Names, and beside each the position of its record. */
interface Column {
  readonly names: string[];
  readonly indexes: number[];
}

function indexRecords(records: readonly EntityRecord[]): IndexedRecords {
  const groups = new Map<string, Column>();
  const bound = new Map<string, Column>();
  const includes = new Map<string, readonly string[]>();
  records.forEach((record, index) => {
    if (record.kind === 'member') add(groups, record.member, record.group, index);
    else if (record.kind === 'binding' && record.effect !== 'deny') add(bound, record.subject, record.role, index);
    else if (record.kind === 'role' && record.includes !== undefined) includes.set(record.name, record.includes);
  });
  const indexIn = (column: Column | undefined, name: string) => column?.indexes[column.names.indexOf(name)] ?? -1;
  return {
    subjects: new Set([...groups.keys(), ...bound.keys()]),
    groupsOf: (principal) => groups.get(principal)?.names ?? none,
    rolesOf: (principal) => bound.get(principal)?.names ?? none,
    includesOf: (role) => includes.get(role) ?? none,
    indexOf: ({ bound: role, principals: [subject, next] }) => {
      if (next !== undefined) return indexIn(groups.get(subject as string), next);
      return indexIn(bound.get(subject as string), role);
    },
  };
}

const none: readonly string[] = [];

function add(columns: Map<string, Column>, key: string, name: string, index: number): void {
  const column = columns.get(key);
  if (column === undefined) columns.set(key, { names: [name], indexes: [index] });
  else {
    column.names.push(name);
    column.indexes.push(index);
  }
}
