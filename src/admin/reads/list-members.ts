/**
 * Memberships. With a member they come in the order of members and then groups, without one but with a group in the
 * order of groups and then members. A membership that has ended is listed, since it is still there; `transitive` does
 * not go on through it. A page looks at the memberships that the filters leave, and finds the groups on the way anew.
 */

import { sharedWalk } from '../../engine/walk.ts';
import { chunksOf } from '../../graph/chunked.ts';
import type { Edge } from '../../graph/edge.ts';
import { at } from '../../graph/paged.ts';
import { chunksFrom } from '../../graph/seek.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import type { MemberRecord } from '../../model/entity.ts';
import type { Listed, MemberFilter, Page } from '../api.ts';
import { checkMemberFilter } from './check-filter.ts';
import type { ReadGate } from './gate.ts';
import { type Listing, lookedAtInTurn, readPage } from './page.ts';
import type { Position } from './page-token.ts';

/** One edge: two nodes. */
interface Membership {
  readonly member: number;
  readonly group: number;
  readonly expiresAt: number;
}

/**
 * `transitive` with a member: also the groups of its groups and of the wildcards that stand for it, at `gate.nowMs`;
 * with a group: also the members of groups that are in it. Each edge on the way is listed once.
 * @throws PosternError NOT_PERMITTED, INVALID_SUBJECT, INVALID_REQUEST, and what readPage throws
 */
export async function listMembers(
  gate: ReadGate,
  filter: MemberFilter,
  page: Page,
  signal?: AbortSignal,
): Promise<Listed<MemberRecord>> {
  checkMemberFilter(filter);
  gate.members(filter);
  const { snapshot } = gate;
  const { names } = snapshot;
  const { group, member, transitive } = filter;
  const listing: Listing<Membership, MemberRecord> = {
    asked: ['members', group, member, transitive],
    shape: ['number', 'number'],
    names,
    scan(after) {
      const groups = group === '' ? undefined : groupsFor(gate, filter);
      if (member === '' && groups !== undefined) return scanGroups(snapshot, groups, after);
      const members = member === '' ? undefined : membersFor(gate, filter);
      return scanMembers(snapshot, members, groups === undefined ? undefined : new Set(groups), after);
    },
    positionOf: (edge) => (member === '' && group !== '' ? [edge.group, edge.member] : [edge.member, edge.group]),
    toRecord: (edge) => ({
      kind: 'member',
      group: names.nodeName(edge.group),
      member: names.nodeName(edge.member),
      ...(edge.expiresAt === 0 ? {} : { expiresAt: edge.expiresAt }),
    }),
  };
  return readPage(gate, listing, page, signal);
}

/** The nodes whose own memberships are asked for, ascending. */
function membersFor({ snapshot, nowMs }: ReadGate, { member, transitive }: MemberFilter): readonly number[] {
  const node = snapshot.names.findNode(member);
  if (!transitive) return node < 0 ? [] : [node];
  sharedWalk.expandSubject(snapshot, member, node, [], undefined, nowMs);
  return sharedWalk.principals.toArray().sort((a, b) => a - b);
}

/** The groups whose own members are asked for, ascending. */
function groupsFor({ snapshot, nowMs }: ReadGate, { group, transitive }: MemberFilter): readonly number[] {
  const node = snapshot.names.findNode(group);
  if (node < 0) return [];
  const found = new Set([node]);
  if (transitive) {
    // A set may grow while it is walked: what is added is visited too.
    for (const open of found) {
      for (const chunk of chunksOf(at(snapshot.membersOf, open))) {
        for (const edge of chunk) {
          const goesOn = edge.expiresAt === 0 || nowMs < edge.expiresAt;
          if (goesOn && at(snapshot.membersOf, edge.node) !== undefined) found.add(edge.node);
        }
      }
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** @param members Ascending; undefined for all. */
function* scanMembers(
  snapshot: Snapshot,
  members: readonly number[] | undefined,
  groups: ReadonlySet<number> | undefined,
  after: Position | undefined,
): Generator<Membership | undefined, void> {
  const [lastMember, lastGroup] = (after ?? [-1, -1]) as readonly [number, number];
  const end = members === undefined ? snapshot.names.nodeCount : members.length;
  let looked = 0;
  for (let i = members === undefined ? Math.max(0, lastMember) : 0; i < end; i++) {
    const member = members === undefined ? i : (members[i] as number);
    if (member < lastMember) continue;
    const edges = at(snapshot.groupsOf, member);
    // The list itself is in the order of writing, which a rewritten membership changes.
    for (const edge of edges?.toSorted(byNode) ?? []) {
      const isLater = member > lastMember || edge.node > lastGroup;
      if (isLater && groups?.has(edge.node) !== false) yield { member, group: edge.node, expiresAt: edge.expiresAt };
    }
    looked += 1 + (edges?.length ?? 0);
    if (looked >= lookedAtInTurn) {
      looked = 0;
      yield undefined;
    }
  }
}

/** @param groups Ascending. */
function* scanGroups(
  snapshot: Snapshot,
  groups: readonly number[],
  after: Position | undefined,
): Generator<Membership | undefined, void> {
  const [lastGroup, lastMember] = (after ?? [-1, -1]) as readonly [number, number];
  let looked = 0;
  for (const group of groups) {
    if (group < lastGroup) continue;
    const isBefore = (edge: Edge) => group === lastGroup && edge.node <= lastMember;
    for (const chunk of chunksFrom(at(snapshot.membersOf, group), isBefore)) {
      for (const edge of chunk) yield { member: edge.node, group, expiresAt: edge.expiresAt };
    }
    if (++looked % lookedAtInTurn === 0) yield undefined;
  }
}

function byNode(a: Edge, b: Edge): number {
  return a.node - b.node;
}
