/**
 * Roles of a draft: remembers which changed, and merges those and all that
 * include them when the draft is frozen. A cycle of inclusions (a foreign
 * writer's) ends at the roles already seen.
 */
import type { RoleRecord } from '../model/entity.ts';
import { compileOwn, mergeGrants, type OwnPermissions, type Role } from './role.ts';
import type { Snapshot } from './snapshot.ts';

export class RoleDraft {
  readonly #base: Snapshot;
  readonly #changed = new Map<number, RoleRecord | undefined>();
  /** Of the changed roles, as far as they compile. */
  readonly #own = new Map<number, OwnPermissions>();

  constructor(base: Snapshot) {
    this.#base = base;
  }

  put(record: RoleRecord): void {
    const { names, options } = this.#base;
    const id = names.internRole(record.name);
    this.#changed.set(id, record);
    this.#own.delete(id);
    try {
      // Here, and not when frozen: whoever applies many changes in slices spreads this, too.
      this.#own.set(id, compileOwn(record, names, options.compileRegex));
    } catch {
      // Another change may replace it. Where none does, freeze() throws this once more.
    }
  }

  delete(name: string): void {
    this.#changed.set(this.#base.names.internRole(name), undefined);
  }

  freeze(): readonly (Role | undefined)[] {
    if (this.#changed.size === 0) return this.#base.roles;
    const { names, options } = this.#base;
    // One place for every role that anything names, so that no list has holes.
    const count = names.roles.length;
    const records = Array.from({ length: count }, (_, id) => this.#base.roles[id]?.record);
    const own = Array.from({ length: count }, (_, id) => this.#base.roles[id]?.own);
    for (const [id, record] of this.#changed) {
      records[id] = record;
      own[id] = record && (this.#own.get(id) ?? compileOwn(record, names, options.compileRegex));
    }
    const includes = records.map((record) => (record?.includes ?? []).map((name) => names.internRole(name)));
    const stale = dependents([...this.#changed.keys()], includes);
    const roles = Array.from({ length: count }, (_, id) => this.#base.roles[id]);
    for (const id of stale) {
      const record = records[id];
      const ownPart = own[id];
      if (record === undefined || ownPart === undefined) roles[id] = undefined;
      else {
        const closure = reachable(id, includes);
        const grants = mergeGrants([...closure].map((role) => own[role]).filter((part) => part !== undefined));
        roles[id] = { name: record.name, record, own: ownPart, closure, grants };
      }
    }
    return roles;
  }
}

/** The changed roles and all that include one of them, at any distance. */
function dependents(changed: readonly number[], includes: readonly (readonly number[])[]): ReadonlySet<number> {
  const includedBy = new Map<number, number[]>();
  for (const [id, included] of includes.entries()) {
    for (const other of included) {
      const list = includedBy.get(other);
      if (list === undefined) includedBy.set(other, [id]);
      else list.push(id);
    }
  }
  const seen = new Set(changed);
  // A set may grow while it is walked: what is added is visited too.
  for (const id of seen) for (const includer of includedBy.get(id) ?? []) seen.add(includer);
  return seen;
}

/** A role and all that it includes. */
function reachable(id: number, includes: readonly (readonly number[])[]): ReadonlySet<number> {
  const seen = new Set([id]);
  for (const role of seen) for (const included of includes[role] ?? []) seen.add(included);
  return seen;
}
