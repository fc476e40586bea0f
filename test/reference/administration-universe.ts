/**
 * The names that random administration uses, and every question that is asked of a graph made of them. Small on
 * purpose, so that changes meet; it holds somebody and something that no record names, the tenant as a whole, and an
 * object whose name would be a pattern if it were read as one.
 */
import type { Attributes } from '../../src/model/condition.ts';

export const users = ['user:ann', 'user:bob', 'user:eve', 'service:ci'] as const;
export const groups = ['group:ops', 'group:devs', 'group:all'] as const;
/** Names that nothing holds at first. */
export const newNames = ['doc:new', 'doc:1*', 'folder:new', 'group:new', 'user:new'] as const;
export const registered = ['folder:f', 'folder:g', 'doc:1', 'doc:2', 'doc:3', 'user:bob'] as const;

/** Everybody that is asked about; user:zoe is in no record. */
export const subjects: readonly string[] = [...users, 'user:new', 'user:zoe', 'anonymous', ...groups, 'group:new'];

export const objects: readonly string[] = ['', ...registered, ...groups, ...newNames, 'doc:nowhere'];

export const adminActions = [
  'grant',
  'deny',
  'share',
  'own',
  'escalate',
  'manage_members',
  'manage_roles',
  'manage_policy',
  'create',
  'move',
  'delete',
  'update',
  'impersonate',
] as const;
export const actions: readonly string[] = ['read', 'write', ...adminActions];

export interface Cell {
  readonly action: string;
  /** Empty: the tenant as a whole. */
  readonly object: string;
}

/** Every action on every object, and two questions to the tenant that name a type. */
export const cells: readonly Cell[] = [
  ...objects.flatMap((object) => actions.map((action) => ({ action, object }))),
  { action: 'doc:read', object: '' },
  { action: 'doc:create', object: '' },
];

/** When histories begin. */
export const start = 1_780_000_000_000;
/** The instants at which things end: one that is past, and some that histories reach or do not reach. */
export const ends = { past: start - 1000, soon: start + 1000, later: start + 2000, late: start + 3000 } as const;

/** The instants at which a graph is asked from `now` on: now, and once after each end. */
export function instantsFrom(now: number): readonly number[] {
  return [now, ...Object.values(ends).filter((end) => end > now), start + 1_000_000_000];
}

/** What a caller may say about a question. Every condition used can be evaluated with these. */
export const contexts: readonly Attributes[] = [{ vip: false }, { vip: true }];
export const conditions = ['context.vip', 'action == "read"', 'object.startsWith("doc:")'] as const;
