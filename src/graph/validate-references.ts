/**
 * Validation of what records refer to: roles that exist, parents that are
 * registered, and no cycle in inclusion, membership or parenthood. Called by
 * validate.ts only.
 */
import type { EntityRecord, ObjectRecord } from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { type Edge, findCycles } from './validate-cycles.ts';
import type { Candidates, Nearest } from './validate-nearest.ts';
import type { Placed, Problem, Report } from './validate-report.ts';

interface Origin {
  readonly at: Placed;
  readonly field: Problem['field'];
}

type Edges = Map<string, Edge<Origin>[]>;

export function checkReferences(records: readonly EntityRecord[], nearest: Nearest, report: Report): void {
  const roles = new Set<string>();
  const objects = new Set<string>();
  for (const record of records) {
    if (record.kind === 'role') roles.add(record.name);
    else if (record.kind === 'object') objects.add(record.object);
  }

  /** A record is never told that it meant itself: that would be a cycle. */
  const suggestOther = (name: string, candidates: Candidates, own: string | undefined) => {
    const suggestion = nearest(name, candidates);
    return suggestion === own ? undefined : suggestion;
  };
  const checkRoleName = (at: Placed, field: Problem['field'], role: string, own?: string) => {
    if (!roles.has(role)) report(at, field, `unknown role ${quote(role)}`, suggestOther(role, roles, own));
  };
  const checkParent = (at: Placed<ObjectRecord>, field: Problem['field'], parent: string) => {
    if (objects.has(parent)) return;
    const suggestion = suggestOther(parent, objects, at.record.object);
    report(at, field, `parent ${quote(parent)} is not registered; add it to objects`, suggestion);
  };

  const includes: Edges = new Map();
  const memberships: Edges = new Map();
  const parents: Edges = new Map();
  records.forEach((record, index) => {
    const at = { record, index };
    if (record.kind === 'role') {
      record.includes?.forEach((role, i) => {
        checkRoleName(at, ['includes', i], role, record.name);
        addEdge(includes, record.name, role, at, ['includes', i]);
      });
    } else if (record.kind === 'object') {
      record.parents?.forEach(({ object }, i) => {
        checkParent({ record, index }, ['parents', i, 'object'], object);
        addEdge(parents, record.object, object, at, ['parents', i, 'object']);
      });
    } else if (record.kind === 'member') {
      // Only groups can be on a cycle; edges from users would be most of the graph.
      if (record.member.startsWith('group:')) addEdge(memberships, record.member, record.group, at, ['member']);
    } else if (record.kind === 'binding') checkRoleName(at, ['role'], record.role);
  });

  findCycles(includes, ({ at, field }, path) => report(at, field, `role includes itself: ${path}`));
  findCycles(memberships, ({ at, field }, path) => report(at, field, `group is a member of itself: ${path}`));
  findCycles(parents, ({ at, field }, path) => report(at, field, `object is its own ancestor: ${path}`));
}

function addEdge(edges: Edges, from: string, to: string, at: Placed, field: Problem['field']): void {
  const edge = { to, origin: { at, field } };
  const out = edges.get(from);
  if (out === undefined) edges.set(from, [edge]);
  else out.push(edge);
}
