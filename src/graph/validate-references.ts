/**
 * Validation of what records refer to: roles that exist, parents that are
 * registered, and no cycle in inclusion, membership or parenthood. Called by
 * validate.ts; validate-change-references.ts shares the check of one record.
 */
import type { EntityRecord, ObjectRecord } from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { type Edge, findCycles } from './validate-cycles.ts';
import type { Candidates, Nearest } from './validate-nearest.ts';
import type { Placed, Problem, Report } from './validate-report.ts';

type Field = Problem['field'];

interface Origin {
  readonly at: Placed;
  readonly field: Field;
}

type Edges = Map<string, Edge<Origin>[]>;

/** Names of one kind: a set, or what a snapshot has. */
export interface Known extends Candidates {
  has(name: string): boolean;
}

export function checkReferences(records: readonly EntityRecord[], nearest: Nearest, report: Report): void {
  const roles = new Set<string>();
  const objects = new Set<string>();
  for (const record of records) {
    if (record.kind === 'role') roles.add(record.name);
    else if (record.kind === 'object') objects.add(record.object);
  }
  const checkRecord = createReferenceCheck(roles, objects, nearest, report);
  records.forEach((record, index) => {
    checkRecord({ record, index });
  });
  checkCycles(records, report);
}

/** A check that what one record names is there. */
export function createReferenceCheck(
  roles: Known,
  objects: Known,
  nearest: Nearest,
  report: Report,
): (at: Placed) => void {
  /** A record is never told that it meant itself: that would be a cycle. */
  const suggestOther = (name: string, candidates: Candidates, own: string | undefined) => {
    const suggestion = nearest(name, candidates);
    return suggestion === own ? undefined : suggestion;
  };
  const checkRoleName = (at: Placed, field: Field, role: string, own?: string) => {
    if (!roles.has(role)) report(at, field, `unknown role ${quote(role)}`, suggestOther(role, roles, own));
  };
  const checkParent = (at: Placed<ObjectRecord>, field: Field, parent: string) => {
    if (objects.has(parent)) return;
    const suggestion = suggestOther(parent, objects, at.record.object);
    report(at, field, `parent ${quote(parent)} is not registered; add it to objects`, suggestion);
  };
  return (at) => {
    const { record, index } = at;
    if (record.kind === 'binding') checkRoleName(at, ['role'], record.role);
    else if (record.kind === 'role') {
      record.includes?.forEach((role, i) => {
        checkRoleName(at, ['includes', i], role, record.name);
      });
    } else if (record.kind === 'object') {
      record.parents?.forEach(({ object }, i) => {
        checkParent({ record, index }, ['parents', i, 'object'], object);
      });
    } else if (record.kind === 'hook') {
      record.grants.forEach((grant, i) => {
        if ('role' in grant) checkRoleName(at, ['grants', i, 'role'], grant.role);
      });
    } else if (record.kind === 'constraint') {
      record.roles.forEach((role, i) => {
        checkRoleName(at, ['roles', i], role);
      });
    }
  };
}

/** What is said of a cycle, by the kind of its edges. */
export const cycleWords = {
  role: 'role includes itself',
  member: 'group is a member of itself',
  object: 'object is its own ancestor',
} as const;

function checkCycles(records: readonly EntityRecord[], report: Report): void {
  const edges: Record<keyof typeof cycleWords, Edges> = { role: new Map(), member: new Map(), object: new Map() };
  records.forEach((record, index) => {
    const at = { record, index };
    if (record.kind === 'role') {
      record.includes?.forEach((role, i) => {
        addEdge(edges.role, record.name, role, at, ['includes', i]);
      });
    } else if (record.kind === 'object') {
      record.parents?.forEach(({ object }, i) => {
        addEdge(edges.object, record.object, object, at, ['parents', i, 'object']);
      });
    } else if (record.kind === 'member' && record.member.startsWith('group:')) {
      // Only groups can be on a cycle; edges from users would be most of the graph.
      addEdge(edges.member, record.member, record.group, at, ['member']);
    }
  });
  for (const kind of ['role', 'member', 'object'] as const) {
    findCycles(edges[kind], ({ at, field }, cycle) => {
      report(at, field, `${cycleWords[kind]}: ${cycle}`);
    });
  }
}

function addEdge(edges: Edges, from: string, to: string, at: Placed, field: Field): void {
  const edge = { to, origin: { at, field } };
  const out = edges.get(from);
  if (out === undefined) edges.set(from, [edge]);
  else out.push(edge);
}
