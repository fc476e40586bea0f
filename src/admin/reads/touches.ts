/**
 * What a change is about, read off the identity of its record alone: a delete carries nothing else, and what a record
 * was before has the same identity. Called by list-change-sets.ts.
 */
import type { Change, ChangeSet } from '../../model/change.ts';
import type { EntityRecord } from '../../model/entity.ts';
import type { ScopeInput } from '../../model/scope.ts';
import type { ChangeSetFilter } from '../api.ts';

/**
 * Whether a change set was made by, or via, somebody, and holds a change that touches the subject, the role and the
 * object, as far as each is asked for: one and the same change.
 * - A subject is touched by its bindings, its memberships, and what creates or removes it (a group, an object).
 * - A role is touched by itself and its bindings.
 * - An object is touched by itself, bindings on it, and, where it is a group, its members.
 */
export function matchesFilter(changeSet: ChangeSet, filter: ChangeSetFilter): boolean {
  const { by, subject, role, object } = filter;
  if (by !== '' && changeSet.by !== by && changeSet.via !== by) return false;
  if (subject === '' && role === '' && object === '') return true;
  return changeSet.changes.some((change) => {
    const about = aboutOf(change);
    return (
      (subject === '' || touchesSubject(about, subject)) &&
      (role === '' || touchesRole(about, role)) &&
      (object === '' || touchesObject(about, object))
    );
  });
}

/** The parts of a record's identity that history is asked by. */
type About =
  | { readonly kind: 'role'; readonly name: string }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'object'; readonly object: string }
  | { readonly kind: 'member'; readonly group: string; readonly member: string }
  | { readonly kind: 'binding'; readonly subject: string; readonly role: string; readonly scope: ScopeInput }
  | { readonly kind: Exclude<EntityRecord['kind'], 'role' | 'group' | 'object' | 'member' | 'binding'> };

function aboutOf(change: Change): About {
  if (change.op === 'put') return change.record;
  const { kind, key } = change;
  switch (kind) {
    case 'role':
      return { kind, name: key };
    case 'group':
      return { kind, group: key };
    case 'object':
      return { kind, object: key };
    case 'member': {
      const [group, member] = JSON.parse(key) as [string, string];
      return { kind, group, member };
    }
    case 'binding': {
      const [subject, role, scope] = JSON.parse(key) as [string, string, ScopeInput];
      return { kind, subject, role, scope };
    }
    default:
      return { kind };
  }
}

function touchesSubject(about: About, subject: string): boolean {
  if (about.kind === 'binding') return about.subject === subject;
  return about.kind === 'member' ? about.member === subject : isRecordOf(about, subject);
}

function touchesRole(about: About, role: string): boolean {
  return (about.kind === 'role' && about.name === role) || (about.kind === 'binding' && about.role === role);
}

function touchesObject(about: About, object: string): boolean {
  if (about.kind === 'binding') return isScopeOf(about.scope, object);
  return about.kind === 'member' ? about.group === object : isRecordOf(about, object);
}

function isRecordOf(about: About, name: string): boolean {
  return (about.kind === 'group' && about.group === name) || (about.kind === 'object' && about.object === name);
}

function isScopeOf(scope: ScopeInput, object: string): boolean {
  // As plain text, what holds a star is a type or a pattern, whatever it looks like.
  if (typeof scope === 'string') return scope === object && !scope.includes('*');
  return 'object' in scope && scope.object === object;
}
