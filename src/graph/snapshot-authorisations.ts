/** A snapshot as separation of duty looks at it, and whom to look at there. Called by validate-change-constraints.ts. */

import { everyone, isWildcard, typeOf } from '../model/names.ts';
import { chunksOf } from './chunked.ts';
import { at } from './paged.ts';
import type { Authorisations } from './separation.ts';
import type { Snapshot } from './snapshot.ts';

const none: readonly string[] = [];

export function authorisationsOf(snapshot: Snapshot): Authorisations {
  const { names, roles, groupsOf, bindingsOf } = snapshot;
  return {
    groupsOf: (principal) => {
      const edges = at(groupsOf, names.findNode(principal));
      return edges === undefined ? none : edges.map(({ node }) => names.nodeName(node));
    },
    *rolesOf(principal) {
      for (const chunk of chunksOf(at(bindingsOf, names.findNode(principal)))) {
        for (const binding of chunk) if (!binding.deny) yield names.roles[binding.role] as string;
      }
    },
    includesOf: (role) => roles[names.findRole(role)]?.record.includes ?? none,
  };
}

/** Everybody, and every wildcard, that has a binding or is in a group. */
export function* holdersOf(snapshot: Snapshot): Generator<string, void> {
  for (let node = 0; node < snapshot.names.nodeCount; node++) {
    if (isHolder(snapshot, node)) yield snapshot.names.nodeName(node);
  }
}

/** These principals, their members at any distance, and those for whom a wildcard among them stands; each once. */
export function holdersBelow(snapshot: Snapshot, principals: readonly string[]): Iterable<string> {
  const { names, membersOf } = snapshot;
  const below = new Set(principals);
  if (below.has(everyone)) return holdersOf(snapshot);
  // A set may grow while it is walked: what is added is visited too.
  for (const principal of below) {
    for (const chunk of chunksOf(at(membersOf, names.findNode(principal)))) {
      for (const { node } of chunk) below.add(names.nodeName(node));
    }
  }
  if (below.has(everyone)) return holdersOf(snapshot);
  // Wildcards stand for subjects only: what they have is not handed on to the members of a group that they match.
  for (const wildcard of [...below].filter(isWildcard)) {
    const nodes = names.nodesOfType(names.findType(typeOf(wildcard)));
    for (let i = 0; i < nodes.length; i++) {
      if (isHolder(snapshot, nodes.at(i))) below.add(names.nodeName(nodes.at(i)));
    }
  }
  return below;
}

function isHolder({ groupsOf, bindingsOf }: Snapshot, node: number): boolean {
  return at(groupsOf, node) !== undefined || at(bindingsOf, node) !== undefined;
}
