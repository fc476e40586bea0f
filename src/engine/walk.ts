/**
 * The walk behind every answer: from the subject up to its principals, and from
 * the object up to the scopes that reach it. One Walk is reused for all
 * questions of a process: it is filled, read and done within one synchronous
 * call, so that a question allocates next to nothing. It remembers by which
 * step each node was reached, which is all that an explanation needs.
 */

import type { FlatUpEdges } from '../graph/flat/edges.ts';
import { rootNode } from '../graph/names.ts';
import { isThere, writtenAt } from '../graph/paged.ts';
import { matchPatterns } from '../graph/pattern.ts';
import type { Target } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { type Attributes, type ConditionInput, noAttributes } from '../model/condition.ts';
import { anonymous, isType, typeOf } from '../model/names.ts';
import type { Query } from '../model/query.ts';
import { type ActiveRoles, activeRolesOf } from './active-roles.ts';
import { origin, Reached } from './reached.ts';

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

export class Walk implements Target {
  /** The principals P. */
  readonly principals = new Reached();
  /** The scopes S; where the object is known it comes first, and its ancestors next. */
  readonly scopes = new Reached();
  /** How many of `scopes`, from the front, are the object and its ancestors. */
  lineage = 0;
  /** The node of the object, or -1 where the graph does not know it. */
  objectNode = -1;
  type = '';
  typeId = -1;
  hasObject = false;
  action = '';
  permission = -1;
  /** What the question activates; undefined where all roles are active. */
  active: ActiveRoles | undefined;
  /** What conditions see: the question as it was asked. */
  readonly asked: Writable<ConditionInput> = {
    subject: '',
    action: '',
    object: '',
    nowMs: 0,
    attributes: noAttributes,
    types: undefined,
  };

  /** Cut out when asked for: only patterns look at it, and few roles and types have any. */
  get objectId(): string {
    return this.asked.object.slice(this.type.length + 1);
  }

  reachesFrom(node: number): boolean {
    for (let i = 0; i < this.lineage; i++) if (this.scopes.at(i) === node) return true;
    return false;
  }

  /**
   * Fills `principals`: the subject, its groups, the wildcards that stand for it, and theirs.
   * @param node The node of the subject, or -1 for one that the graph does not know.
   * @param active What counts of the roles of all these; undefined: everything.
   */
  expandSubject(
    snapshot: Snapshot,
    subject: string,
    node: number,
    assertedGroups: readonly string[],
    attributes: Attributes | undefined,
    nowMs: number,
    active?: ActiveRoles | undefined,
  ): void {
    const { names } = snapshot;
    this.active = active;
    this.asked.subject = subject;
    this.asked.attributes = attributes ?? noAttributes;
    this.asked.types = snapshot.attributeTypes;
    this.asked.nowMs = nowMs;
    const { principals } = this;
    principals.start(names.nodeCount);
    if (node >= 0) principals.add(node, origin.self);
    const type = node >= 0 ? names.nodeType(node) : names.findType(typeOf(subject));
    const wildcard = type < 0 ? -1 : (names.typeWildcards[type] as number);
    // "anonymous" has no type, even where a type of that name exists.
    if (wildcard >= 0 && subject !== anonymous) principals.add(wildcard, origin.wildcard);
    principals.add(rootNode, origin.wildcard);
    for (const group of assertedGroups) {
      const asserted = names.findNode(group);
      if (asserted >= 0) principals.add(asserted, origin.asserted);
    }
    this.#climbGroups(snapshot, nowMs);
  }

  #climbGroups(snapshot: Snapshot, nowMs: number): void {
    const { groupsOf } = snapshot;
    const { principals } = this;
    const flat = groupsOf.base;
    for (let i = 0; i < principals.length; i++) {
      const edges = writtenAt(groupsOf, principals.at(i));
      if (edges === undefined) {
        if (flat !== undefined) this.#climbFlat(flat, principals.at(i), i, nowMs);
      } else if (isThere(edges)) {
        for (let j = 0; j < edges.length; j++) {
          const edge = edges[j] as (typeof edges)[number];
          if (edge.expiresAt === 0 || nowMs < edge.expiresAt) principals.add(edge.node, i);
        }
      }
    }
  }

  #climbFlat(flat: FlatUpEdges, principal: number, position: number, nowMs: number): void {
    if (principal >= flat.count) return;
    const end = flat.offsets[principal + 1] as number;
    for (let i = flat.offsets[principal] as number; i < end; i++) {
      const expiresAt = flat.expiresAt === undefined ? 0 : (flat.expiresAt[i] as number);
      if (expiresAt === 0 || nowMs < expiresAt) this.principals.add(flat.nodes[i] as number, position);
    }
  }

  /**
   * Fills `scopes`, and what a Target says, from the object; an empty object asks about the tenant.
   * @param node The node of the object, or -1 for one that the graph does not know.
   */
  expandObject(snapshot: Snapshot, object: string, node: number, action: string): void {
    this.asked.action = action;
    this.asked.object = object;
    if (object === '') {
      this.#expandTenant(snapshot, action);
      return;
    }
    const { names } = snapshot;
    const typeId = node >= 0 ? names.nodeType(node) : names.findType(typeOf(object));
    const type = typeId >= 0 ? (names.types[typeId] as string) : typeOf(object);
    this.#setTarget(snapshot, type, typeId, action);
    this.#startScopes(names.nodeCount, node);
    if (node >= 0) this.#addLineage(snapshot, node);
    this.#addTypeScopes(snapshot);
  }

  /**
   * The same for an object that is not there yet, as if it were registered below one parent.
   * @param parent The node of the parent, or -1 for none.
   */
  expandNew(snapshot: Snapshot, object: string, parent: number, action: string): void {
    this.asked.action = action;
    this.asked.object = object;
    const type = typeOf(object);
    this.#setTarget(snapshot, type, snapshot.names.findType(type), action);
    this.#startScopes(snapshot.names.nodeCount, -1);
    if (parent >= 0) this.#addLineage(snapshot, parent);
    this.#addTypeScopes(snapshot);
  }

  #addLineage(snapshot: Snapshot, node: number): void {
    const { parentsOf } = snapshot;
    const { scopes } = this;
    scopes.add(node, origin.self);
    const flat = parentsOf.base;
    for (let i = 0; i < scopes.length; i++) {
      const edges = writtenAt(parentsOf, scopes.at(i));
      if (edges === undefined) {
        if (flat !== undefined) this.#ascendFlat(flat, scopes.at(i), i);
      } else if (isThere(edges)) {
        for (let j = 0; j < edges.length; j++) {
          const edge = edges[j] as (typeof edges)[number];
          if (edge.inherit) scopes.add(edge.node, i);
        }
      }
    }
    this.lineage = scopes.length;
  }

  #ascendFlat(flat: FlatUpEdges, scope: number, position: number): void {
    if (scope >= flat.count) return;
    const end = flat.offsets[scope + 1] as number;
    for (let i = flat.offsets[scope] as number; i < end; i++) {
      if (flat.closed === undefined || flat.closed[i] === 0) this.scopes.add(flat.nodes[i] as number, position);
    }
  }

  /** Sets what a Target says for any object of a type, with no scopes. */
  expandType(snapshot: Snapshot, type: string, action: string): void {
    this.#setTarget(snapshot, type, snapshot.names.findType(type), action);
    this.#startScopes(snapshot.names.nodeCount, -1);
  }

  #expandTenant(snapshot: Snapshot, action: string): void {
    // Without an object, "type:action" asks about that type.
    const type = action.includes(':') && isType(typeOf(action)) ? typeOf(action) : '';
    const bare = type === '' ? action : action.slice(type.length + 1);
    this.#setTarget(snapshot, type, type === '' ? -1 : snapshot.names.findType(type), bare);
    this.hasObject = false;
    this.#startScopes(snapshot.names.nodeCount, -1);
    this.scopes.add(rootNode, origin.self);
  }

  #setTarget(snapshot: Snapshot, type: string, typeId: number, action: string): void {
    this.type = type;
    this.typeId = typeId;
    this.hasObject = true;
    this.action = action;
    this.permission = snapshot.names.findPermission(typeId, action);
  }

  #addTypeScopes(snapshot: Snapshot): void {
    const { typeId } = this;
    if (typeId >= 0) {
      const wildcard = snapshot.names.typeWildcards[typeId] as number;
      if (wildcard >= 0) this.scopes.add(wildcard, origin.self);
      const patterns = snapshot.patterns.get(typeId);
      if (patterns !== undefined) matchPatterns(patterns.index, this.objectId, this.scopes);
    }
    this.scopes.add(rootNode, origin.self);
  }

  #startScopes(nodeCount: number, objectNode: number): void {
    this.lineage = 0;
    this.objectNode = objectNode;
    this.scopes.start(nodeCount);
  }
}

/** The one walk of this thread. Decisions are synchronous, so nobody else can be in the middle of it. */
export const sharedWalk = new Walk();

/**
 * Fills the shared walk for a question.
 * @throws PosternError ROLES_CONFLICT, naming the field behind `fieldPrefix`
 */
export function walkFor(snapshot: Snapshot, query: Query, nowMs: number, fieldPrefix = ''): Walk {
  const { names } = snapshot;
  return walkFound(snapshot, query, names.findNode(query.subject), names.findNode(query.object), nowMs, fieldPrefix);
}

/** The same where subject and object have been looked up; -1 for what the graph does not know. */
export function walkFound(
  snapshot: Snapshot,
  query: Query,
  subject: number,
  object: number,
  nowMs: number,
  fieldPrefix: string,
): Walk {
  const active = query.activeRoles === undefined ? undefined : activeRolesOf(snapshot, query.activeRoles, fieldPrefix);
  sharedWalk.expandSubject(snapshot, query.subject, subject, query.assertedGroups, query.attributes, nowMs, active);
  sharedWalk.expandObject(snapshot, query.object, object, query.action);
  return sharedWalk;
}
