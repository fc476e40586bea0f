/**
 * All answers about one graph, by the functions of the plain evaluator: for a subject and an instant, which of the
 * universe's questions are allowed. The loops of `check` are only put in another order, so that what a role grants and
 * what a scope reaches is found out once a graph; evaluator.test.ts's `check` stays the meaning, and a test compares.
 */
import type { Attributes } from '../../src/model/condition.ts';
import type { BindingRecord, EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { parsePermission, parseShortPermission } from '../../src/model/permission.ts';
import type { Query } from '../../src/model/query.ts';
import { parseScope } from '../../src/model/scope.ts';
import { type Cell, cells, contexts, objects } from './administration-universe.ts';
import { conditionHolds } from './conditions.ts';
import { check, holds, permissionCovers, principalsOf, scopeReaches, withIncluded } from './evaluator.ts';

/** One flag a question of the universe. */
export type Flags = Uint8Array;

export interface Table {
  readonly records: readonly EntityRecord[];
  /** Which questions are allowed to a subject at an instant in a context. */
  allowed(subject: string, at: number, context: Attributes): Flags;
  /** Which questions a role is about, wherever it is bound. */
  granted(role: string): Flags;
}

export function queryOf(subject: string, { action, object }: Cell, attributes?: Attributes): Query {
  return { subject, action, object, reach: 'inherited', assertedGroups: [], attributes };
}

/** Whether a plain question without a context is allowed; what cannot be said is not. */
export function may(
  records: readonly EntityRecord[],
  who: string,
  action: string,
  object: string,
  at: number,
): boolean {
  try {
    return check(records, queryOf(who, { action, object }), at).allowed;
  } catch (error) {
    if (error instanceof PosternError) return false;
    throw error;
  }
}

export function tableOf(records: readonly EntityRecord[]): Table {
  const roles = new Map<string, Flags>();
  const granted = (role: string): Flags => {
    const known = roles.get(role) ?? cellsOfRole(records, role);
    roles.set(role, known);
    return known;
  };
  const bindings = records
    .filter((record) => record.kind === 'binding')
    .map((binding) => ({ binding, flags: cellsOfBinding(records, binding, granted(binding.role)) }));
  const answers = new Map<string, Flags>();
  const allowed = (subject: string, at: number, context: Attributes): Flags => {
    const key = JSON.stringify([subject, at, context]);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const principals = principalsOf(records, subject, [], at);
    const [allow, deny] = [new Uint8Array(cells.length), new Uint8Array(cells.length)];
    for (const { binding, flags } of bindings) {
      if (!principals.has(binding.subject) || !holds(binding.expiresAt, at)) continue;
      const into = binding.effect === 'deny' ? deny : allow;
      for (const [i, cell] of cells.entries()) {
        if (flags[i] === 1 && conditionHolds(binding.condition, queryOf(subject, cell, context), at, records))
          into[i] = 1;
      }
    }
    const answer = allow.map((flag, i) => (flag === 1 && deny[i] === 0 ? 1 : 0));
    answers.set(key, answer);
    return answer;
  };
  return { records, allowed, granted };
}

/** Whether somebody is allowed a question at an instant in every context. */
export function alwaysAllowed(table: Table, subject: string, at: number, cell: number): boolean {
  return contexts.every((context) => table.allowed(subject, at, context)[cell] === 1);
}

function cellsOfRole(records: readonly EntityRecord[], role: string): Flags {
  const flags = new Uint8Array(cells.length);
  for (const name of withIncluded(records, role)) {
    for (const record of records) {
      if (record.kind !== 'role' || record.name !== name) continue;
      const own = record.permissions.flatMap(parsePermission);
      const taken = (record.except ?? []).map(parseShortPermission);
      for (const [i, cell] of cells.entries()) {
        const query = queryOf('', cell);
        const has = own.some((permission) => permissionCovers(records, permission, query));
        if (has && !taken.some((permission) => permissionCovers(records, permission, query))) flags[i] = 1;
      }
    }
  }
  return flags;
}

function cellsOfBinding(records: readonly EntityRecord[], binding: BindingRecord, granted: Flags): Flags {
  const scope = parseScope(binding.scope);
  const reached = new Map(
    objects.map((object) => [object, scopeReaches(records, scope, object, binding.cascade !== false)]),
  );
  return granted.map((flag, i) => (flag === 1 && reached.get((cells[i] as Cell).object) === true ? 1 : 0));
}
