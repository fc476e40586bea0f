/**
 * What one subject holds, asked as administration asks it: not "may it do this now?" but "does it have all of this,
 * everywhere in that scope, for as long as that?". Every answer errs to the side of "no": conditions are not counted
 * on, and a denial that could meet what is asked about is enough. Called by the judges; reads one snapshot only.
 */

import { decide } from '../engine/decide.ts';
import { Walk } from '../engine/walk.ts';
import { type Binding, nodeNameOfScope } from '../graph/binding.ts';
import { chunksOf } from '../graph/chunked.ts';
import { rootNode } from '../graph/names.ts';
import { at } from '../graph/paged.ts';
import type { Role } from '../graph/role.ts';
import { chunksFrom } from '../graph/seek.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { parseScope, type Scope, type ScopeInput, tenantScope } from '../model/scope.ts';
import { covers, type Held, heldBy, meets } from './cover.ts';
import { DenialReach } from './denial-reach.ts';

/** Where, and for how long, something is to be held. */
export interface Extent {
  readonly scope: Scope;
  /** Whether the descendants of an object are meant, too. */
  readonly cascade: boolean;
  /** Milliseconds since 1970; undefined: without end. */
  readonly until: number | undefined;
}

/** The whole tenant, without end. */
export const wholeTenant: Extent = { scope: tenantScope, cascade: true, until: undefined };

/** A time after all times that a record can hold. */
const endOfTime = Number.MAX_SAFE_INTEGER;
const noGroups: readonly string[] = [];

export class Holdings {
  readonly snapshot: Snapshot;
  readonly subject: string;
  readonly nowMs: number;
  readonly #walk = new Walk();
  readonly #reach = new DenialReach();
  readonly #lacking = new Map<string, Held | undefined>();
  #denials: readonly Binding[] | undefined;
  #escalatesAnywhere: boolean | undefined;

  constructor(snapshot: Snapshot, subject: string, nowMs: number) {
    this.snapshot = snapshot;
    this.subject = subject;
    this.nowMs = nowMs;
  }

  /** Whether a principal is the subject, or stands for it: one of its groups, or a wildcard. */
  isPrincipal(name: string): boolean {
    return this.#walkTo(wholeTenant, this.nowMs).principals.has(this.snapshot.names.findNode(name));
  }

  /** Whether Check allows an action on an object, or on the tenant where it is empty. @throws PosternError CONDITION_FAILED */
  may(action: string, object: string): boolean {
    const { snapshot, subject, nowMs } = this;
    return decide(snapshot, { subject, action, object, reach: 'inherited', assertedGroups: noGroups }, nowMs).allowed;
  }

  /** The same for any scope. On a scope of many objects it is what a grant there gives; denials on some of them stay. */
  mayOn(action: string, scope: Scope): boolean {
    if (scope.kind === 'tenant') return this.may(action, '');
    if (scope.kind === 'object') return this.may(action, scope.object);
    const wanted = { permission: { type: scope.type, action, objects: undefined }, except: [] };
    const extent = { scope, cascade: true, until: undefined };
    const over = this.#scopesOver(wanted, extent);
    const isDenied = this.#denialsOf(wanted).some((denial) => over.includes(denial.scope));
    return !isDenied && this.#isGranted(wanted, extent, this.nowMs);
  }

  /**
   * The first of these that may not be given there: that is neither held, nor covered by the action "escalate".
   * @param key Equal where the same is asked again, as in a change set that gives one role to many; undefined: never.
   */
  lacks(wanted: Iterable<Held>, extent: Extent, key: string | undefined): Held | undefined {
    if (key === undefined) return this.#findLacking(wanted, extent);
    if (!this.#lacking.has(key)) this.#lacking.set(key, this.#findLacking(wanted, extent));
    return this.#lacking.get(key);
  }

  #findLacking(wanted: Iterable<Held>, extent: Extent): Held | undefined {
    const end = extent.until === undefined ? endOfTime : Math.max(this.nowMs, extent.until - 1);
    for (const held of wanted) {
      const isHeld = this.#holds(held, extent) && this.#isGranted(held, extent, end);
      if (!isHeld && !this.#mayEscalate(held, extent)) return held;
    }
    return undefined;
  }

  /** On the tenant it is everything; elsewhere it has to be held as what is given would have to be. */
  #mayEscalate({ permission }: Held, extent: Extent): boolean {
    this.#escalatesAnywhere ??= this.may('escalate', '');
    if (this.#escalatesAnywhere) return true;
    if (!this.mayOn('escalate', extent.scope)) return false;
    return this.#holds({ permission: { ...permission, action: 'escalate', objects: undefined }, except: [] }, extent);
  }

  #holds(wanted: Held, extent: Extent): boolean {
    return !this.#couldBeDenied(wanted, extent) && this.#isGranted(wanted, extent, this.nowMs);
  }

  #isGranted(wanted: Held, extent: Extent, atMs: number): boolean {
    this.#walkTo(extent, atMs);
    return this.#isGrantedOn(this.#scopesOver(wanted, extent), wanted, extent, atMs);
  }

  #isGrantedOn(nodes: readonly number[], wanted: Held, extent: Extent, atMs: number): boolean {
    const { snapshot } = this;
    const principals = this.#walk.principals.toArray();
    for (const node of nodes) {
      if (node < 0) continue;
      for (const principal of principals) {
        for (const binding of bindingsBetween(snapshot, principal, node)) {
          if (binding.deny || binding.extra?.condition !== undefined) continue;
          if (binding.expiresAt !== 0 && binding.expiresAt <= atMs) continue;
          // What does not cascade holds on its object, and there only.
          if (!binding.cascade && (extent.cascade || node !== this.#walk.objectNode)) continue;
          const role = snapshot.roles[binding.role];
          if (role !== undefined && anyOf(snapshot, role, (mine) => covers(mine, wanted))) return true;
        }
      }
    }
    return false;
  }

  /** The nodes on which a binding holds in the whole of an extent, as far as a permission is concerned. */
  #scopesOver(wanted: Held, { scope, cascade }: Extent): readonly number[] {
    const { names } = this.snapshot;
    if (scope.kind === 'tenant') return [rootNode];
    if (scope.kind !== 'object') {
      return [rootNode, names.findNode(nodeNameOfScope(scope)), names.findNode(`${scope.type}:*`)];
    }
    const walk = this.#walk;
    if (!cascade) return walk.scopes.toArray();
    // A type's scope reaches all objects of that type, wherever they are: enough for permissions on that type alone.
    const { type } = wanted.permission;
    const ofType = type.includes('*') ? -1 : names.findNode(`${type}:*`);
    return [rootNode, ofType, ...walk.scopes.toArray(walk.lineage)];
  }

  /** Memberships and denials end, and do not begin: what is not denied now is not denied later. */
  #couldBeDenied(wanted: Held, { scope, cascade }: Extent): boolean {
    const { snapshot } = this;
    const { type } = wanted.permission;
    return this.#denialsOf(wanted).some((denial) => this.#reach.canMeet(snapshot, denial, type, scope, cascade));
  }

  /** The denials that could be about an action. */
  #denialsOf(wanted: Held): readonly Binding[] {
    this.#denials ??= this.#findDenials();
    return this.#denials.filter((denial) => {
      const role = this.snapshot.roles[denial.role];
      return role !== undefined && anyOf(this.snapshot, role, (theirs) => meets(theirs, wanted));
    });
  }

  #findDenials(): readonly Binding[] {
    const found: Binding[] = [];
    for (const principal of this.#walkTo(wholeTenant, this.nowMs).principals.toArray()) {
      for (const chunk of chunksOf(at(this.snapshot.bindingsOf, principal))) {
        for (const binding of chunk) {
          const isOver = binding.expiresAt !== 0 && binding.expiresAt <= this.nowMs;
          if (binding.deny && !isOver) found.push(binding);
        }
      }
    }
    return found;
  }

  #walkTo({ scope }: Extent, atMs: number): Walk {
    const { snapshot, subject } = this;
    const { names } = snapshot;
    const walk = this.#walk;
    walk.expandSubject(snapshot, subject, names.findNode(subject), noGroups, undefined, atMs);
    if (scope.kind === 'object') walk.expandObject(snapshot, scope.object, names.findNode(scope.object), '');
    return walk;
  }
}

/** The bindings of a principal on one scope. */
function* bindingsBetween(snapshot: Snapshot, principal: number, scope: number): Generator<Binding, void> {
  for (const chunk of chunksFrom(at(snapshot.bindingsOf, principal), (binding) => binding.scope < scope)) {
    for (const binding of chunk) {
      if (binding.scope !== scope) return;
      yield binding;
    }
  }
}

/** All that a role grants, with what it includes. */
export function* grantsOf(snapshot: Snapshot, role: Role): Generator<Held, void> {
  for (const id of role.closure) {
    const included = snapshot.roles[id];
    if (included !== undefined) yield* heldBy(included.record);
  }
}

/** The scope of a record. @throws PosternError INVALID_POLICY */
export function extentOf(record: { scope: ScopeInput; cascade?: false; expiresAt?: number }): Extent {
  return { scope: parseScope(record.scope), cascade: record.cascade !== false, until: record.expiresAt };
}

function anyOf(snapshot: Snapshot, role: Role, test: (held: Held) => boolean): boolean {
  for (const held of grantsOf(snapshot, role)) if (test(held)) return true;
  return false;
}
