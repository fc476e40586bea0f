/** A snapshot as separation of duty looks at it, and whom to look at there. Called by validate-change-constraints.ts. */
import { everyone, isWildcard, typeOf } from '../model/names.ts';
import { at } from './paged.ts';
import type { Authorisations } from './separation.ts';
import type { Snapshot } from './snapshot.ts';

const none: readonly string[] = [];

export function authorisationsOf(snapshot: Snapshot): Authorisations {
  const { names, roles, groupsOf, bindingsOf } = snapshot;
  return {
    groupsOf: (principal) => {
      const edges = at(groupsOf, names.findNode(principal));
      return edges === undefined ? none : edges.map(({ node }) => names.nodes[node] as string);
    },
    *rolesOf(principal) {
      for (const chunk of at(bindingsOf, names.findNode(principal))?.chunks ?? []) {
        for (const binding of chunk) if (!binding.deny) yield names.roles[binding.role] as string;
      }
    },
    includesOf: (role) => roles[names.findRole(role)]?.record.includes ?? none,
  };
}

/** Everybody, and every wildcard, that has a binding or is in a group. */
export function* holdersOf(snapshot: Snapshot): Generator<string, void> {
  for (let node = 0; node < snapshot.names.nodes.length; node++) {
    if (isHolder(snapshot, node)) yield snapshot.names.nodes[node] as string;
  }
}

/** These principals, their members at any distance, and those for whom a wildcard among them stands; each once. */
export function holdersBelow(snapshot: Snapshot, principals: readonly string[]): Iterable<string> {
  const { names, membersOf } = snapshot;
  const below = new Set(principals);
  if (below.has(everyone)) return holdersOf(snapshot);
  // A set may grow while it is walked: what is added is visited too.
  for (const principal of below) {
    for (const chunk of at(membersOf, names.findNode(principal))?.chunks ?? []) {
      for (const { node } of chunk) below.add(names.nodes[node] as string);
    }
  }
  if (below.has(everyone)) return holdersOf(snapshot);
  // Wildcards stand for subjects only: what they have is not handed on to the members of a group that they match.
  for (const wildcard of [...below].filter(isWildcard)) {
    for (const node of names.nodesByType[names.findType(typeOf(wildcard))] ?? []) {
      if (isHolder(snapshot, node)) below.add(names.nodes[node] as string);
    }
  }
  return below;
}

function isHolder({ groupsOf, bindingsOf }: Snapshot, node: number): boolean {
  return at(groupsOf, node) !== undefined || at(bindingsOf, node) !== undefined;
}
