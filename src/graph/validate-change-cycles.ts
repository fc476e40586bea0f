/**
 * Cycles that changes close: every one goes through an edge that was put, so the walks begin there. Called by
 * validate-changes.ts; all walks of one kind share what they have seen, so that each edge is walked once.
 */
import { entityKey } from '../model/entity.ts';
import { type ChangeContext, putsOf } from './changed.ts';
import type { Edge as SnapshotEdge } from './edge.ts';
import { at } from './paged.ts';
import type { Snapshot } from './snapshot.ts';
import { type Edge, findCyclesFrom, formatCycle } from './validate-cycles.ts';
import { cycleWords } from './validate-references.ts';
import type { Problem } from './validate-report.ts';

/** A change that put an edge of a cycle, and the field that holds it. */
interface Culprit {
  readonly index: number;
  readonly key: string;
  readonly field: Problem['field'];
}

export function checkChangedCycles({ after, changed, list }: ChangeContext): void {
  const roles = putsOf(changed, 'role').filter(({ record }) => record.includes !== undefined);
  const objects = putsOf(changed, 'object').filter(({ record }) => record.parents !== undefined);
  // Only groups can be on a cycle.
  const groups = putsOf(changed, 'member').filter(({ record }) => record.member.startsWith('group:'));

  function check(
    kind: keyof typeof cycleWords,
    starts: Iterable<string>,
    edgesOf: (node: string) => readonly Edge<undefined>[],
    culpritOf: (from: string, to: string) => Culprit | undefined,
  ): void {
    findCyclesFrom(starts, edgesOf, (_, cycle) => {
      const message = `${cycleWords[kind]}: ${formatCycle(cycle)}`;
      for (const [i, from] of cycle.entries()) {
        const culprit = culpritOf(from, cycle[(i + 1) % cycle.length] as string);
        if (culprit !== undefined) {
          list.add({ ...culprit, kind, message });
          return;
        }
      }
    });
  }

  const included = new Map(roles.map((put) => [put.record.name, put]));
  check('role', included.keys(), includedBy(after), (from, to) => {
    const put = included.get(from);
    const position = put?.record.includes?.indexOf(to) ?? -1;
    return put === undefined ? undefined : { index: put.index, key: from, field: ['includes', position] };
  });

  const members = new Set(groups.map(({ record }) => record.member));
  check('member', members, upwards(after, after.groupsOf), (member, group) => {
    const key = entityKey({ kind: 'member', group, member });
    const index = changed.indexOf('member', key);
    return index === undefined ? undefined : { index, key, field: ['member'] };
  });

  const moved = new Map(objects.map((put) => [put.record.object, put]));
  check('object', moved.keys(), upwards(after, after.parentsOf), (from, to) => {
    const put = moved.get(from);
    const position = put?.record.parents?.findIndex(({ object }) => object === to) ?? -1;
    return put === undefined ? undefined : { index: put.index, key: from, field: ['parents', position, 'object'] };
  });
}

function includedBy({ names, roles }: Snapshot): (role: string) => readonly Edge<undefined>[] {
  return (role) => (roles[names.findRole(role)]?.record.includes ?? []).map((to) => ({ to, origin: undefined }));
}

function upwards({ names }: Snapshot, column: Snapshot['groupsOf']): (node: string) => readonly Edge<undefined>[] {
  return (name) => {
    const edges: readonly SnapshotEdge[] = at(column, names.findNode(name)) ?? [];
    return edges.map(({ node }) => ({ to: names.nodeName(node), origin: undefined }));
  };
}
