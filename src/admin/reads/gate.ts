/**
 * Who may read what. Every list asks here first, on the snapshot that it then reads; nothing else decides it.
 *
 * - An operator reads everything.
 * - `read_policy` on the tenant reads everything: roles, types, hooks, constraints, the whole graph, its history, watching.
 * - `read_policy` on one object or group reads what is on it: the members and the record of a group, the bindings on an
 *   object (with `inherited` also those above, since they are what reaches it), its record, its direct children.
 *   What a group is bound to elsewhere is not "on" it, and being a member of a group reads nothing of it.
 * - What is about oneself takes nothing: one's bindings (also those that come through groups and wildcards), one's
 *   memberships with the edges on the way, and a role by its exact name where an allow binding of one's own that has
 *   not ended is of that role or of one that includes it.
 * - The decision log is no part of the graph: it takes `read_decisions` on the tenant, also for what is about oneself.
 *
 * All filters of a list have to hold, so a right that covers one of them covers the list. It must never tell whether
 * that exists which may not be read.
 */

import { decide } from '../../engine/decide.ts';
import { sharedWalk } from '../../engine/walk.ts';
import { chunksOf } from '../../graph/chunked.ts';
import { at } from '../../graph/paged.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';
import type { Query } from '../../model/query.ts';
import type { BindingFilter, MemberFilter, ObjectFilter } from '../api.ts';

/** Who reads. Whoever acts on behalf of somebody is that somebody here, and no operator. */
export interface Reader {
  readonly subject: string;
  readonly operator: boolean;
}

/** What a read is asked of. */
export interface ReadView {
  readonly tenant: string;
  readonly snapshot: Snapshot;
  readonly reader: Reader;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** A view, with what its reader may see of it. Everything throws NOT_PERMITTED or CONDITION_FAILED. */
export interface ReadGate extends ReadView {
  /** The whole graph, history, watching. */
  tenantRead(): void;
  /** The decision log of the tenant. */
  decisionsRead(): void;
  /** @param name The filter: a glob over the name. */
  roles(name: string): void;
  /** @param name The filter: a glob over the group. */
  groups(name: string): void;
  members(filter: MemberFilter): void;
  bindings(filter: BindingFilter, scopeObject: string): void;
  objects(filter: ObjectFilter): void;
}

const readAction = 'read_policy';
const readDecisionsAction = 'read_decisions';

const noGroups: readonly string[] = [];

export function createReadGate(view: ReadView): ReadGate {
  const { reader } = view;

  /** Passes whoever has the right on the tenant, or on one of these. */
  function onAnyOf(objects: readonly string[], action = readAction): void {
    if (reader.operator) return;
    const asked = [...objects.filter((object) => object !== ''), ''];
    let failed: unknown;
    for (const object of asked) {
      try {
        if (mayRead(view, action, object)) return;
      } catch (error) {
        // A condition that cannot be evaluated here must not take away a right that is held there.
        failed ??= error;
      }
    }
    throw failed ?? notPermitted(reader.subject, action, asked);
  }

  return {
    ...view,
    tenantRead: () => onAnyOf([]),
    decisionsRead: () => onAnyOf([], readDecisionsAction),
    roles(name) {
      const isExact = name !== '' && !name.includes('*');
      if (!reader.operator && isExact && holdsRole(view, name)) return;
      onAnyOf([]);
    },
    groups: (name) => onAnyOf(name.includes('*') ? [] : [name]),
    members({ group, member }) {
      if (member !== reader.subject) onAnyOf([group]);
    },
    bindings({ subject, object }, scopeObject) {
      if (subject !== reader.subject) onAnyOf([object, scopeObject]);
    },
    objects: ({ parent, object }) => onAnyOf([object, parent]),
  };
}

function mayRead({ snapshot, reader, nowMs }: ReadView, action: string, object: string): boolean {
  const { subject } = reader;
  const query: Query = { subject, action, object, reach: 'inherited', assertedGroups: noGroups };
  return decide(snapshot, query, nowMs).allowed;
}

function holdsRole({ snapshot, reader, nowMs }: ReadView, name: string): boolean {
  const { names } = snapshot;
  const role = names.findRole(name);
  if (role < 0) return false;
  const { subject } = reader;
  sharedWalk.expandSubject(snapshot, subject, names.findNode(subject), noGroups, undefined, nowMs);
  for (const principal of sharedWalk.principals.toArray()) {
    for (const chunk of chunksOf(at(snapshot.bindingsOf, principal))) {
      for (const binding of chunk) {
        const counts = !binding.deny && (binding.expiresAt === 0 || nowMs < binding.expiresAt);
        if (counts && snapshot.roles[binding.role]?.closure.has(role) === true) return true;
      }
    }
  }
  return false;
}

function notPermitted(subject: string, action: string, asked: readonly string[]): PosternError {
  const places = asked.map((object) => (object === '' ? 'the tenant' : quote(object)));
  return new PosternError(
    'NOT_PERMITTED',
    `${quote(subject)} may not read this: it takes the action "${action}" on ${places.join(' or ')}`,
    { subject, action, object: asked[0] as string },
  );
}
