/**
 * How Django decided on what a dump holds: superusers may everything, permissions
 * on models and on objects are separate, groups are flat. Called by guardian.ts;
 * it must know nothing of how the graph is made.
 */
import { idOf, problemOfObject, problemOfSubject, typeOf } from '../model/names.ts';
import { parsePermission } from '../model/permission.ts';
import type { Dump } from './guardian-dump.ts';
import type { MatchRole } from './guardian-roles.ts';
import type { OldQuestion, OldRules } from './importer.ts';
import { textsInOrder } from './in-order.ts';

/** What one user or group holds on one object, or on models where the object is empty. */
export interface Held {
  readonly holder: string;
  readonly object: string;
  /** "type:action" to what the dump calls it. */
  readonly permissions: ReadonlyMap<string, string>;
}

interface RulesInput {
  readonly dump: Dump;
  readonly held: readonly Held[];
  readonly roles: readonly MatchRole[];
  /** Whether a permission on a model counts on its objects, too. */
  readonly combined: boolean;
}

export function createGuardianRules({ dump, held, roles, combined }: RulesInput): OldRules {
  const { users, groups } = dump;
  const onObjects = new Map<string, Map<string, Set<string>>>();
  const onModels = new Map<string, Map<string, Set<string>>>();
  for (const { holder, object, permissions } of held) {
    for (const permission of permissions.keys()) {
      if (object === '') add(onModels, holder, typeOf(permission), idOf(permission));
      else add(onObjects, holder, object, idOf(permission));
    }
  }
  const holdersOf = new Map<string, string[]>();
  const subjects = [...users.keys(), ...groups.keys()].filter((subject) => problemOfSubject(subject) === undefined);
  for (const subject of subjects) holdersOf.set(subject, users.get(subject)?.active === false ? [] : [subject]);
  for (const [group, members] of groups) {
    for (const member of members) if (users.get(member)?.active !== false) holdersOf.get(member)?.push(group);
  }
  return {
    subjects: textsInOrder(subjects),
    questions: questionsOf(held, roles),
    allows(subject, { action, object }) {
      const user = users.get(subject);
      if (user?.superuser && user.active) return true;
      for (const holder of holdersOf.get(subject) ?? []) {
        if (object === '') {
          if (onModels.get(holder)?.get(typeOf(action))?.has(idOf(action))) return true;
        } else {
          if (onObjects.get(holder)?.get(object)?.has(action)) return true;
          if (combined && onModels.get(holder)?.get(typeOf(object))?.has(action)) return true;
        }
      }
      return false;
    },
  };
}

/**
 * Every action of every type on the model, on each object, and on one more object that stands for all that the
 * dump does not name: what holds on a model reaches those, too.
 */
function questionsOf(held: readonly Held[], roles: readonly MatchRole[]): readonly OldQuestion[] {
  const granted = roles.flatMap(({ record }) => record.permissions.flatMap(parsePermission));
  const hasWildcard = granted.some(({ type, action }) => type.includes('*') || action.includes('*'));
  const texts = new Set(held.flatMap(({ permissions }) => [...permissions.keys()]));
  for (const { match } of roles) for (const permission of match) texts.add(permission);
  for (const { type, action } of granted)
    if (!type.includes('*') && !action.includes('*')) texts.add(`${type}:${action}`);
  const objects = Map.groupBy(new Set(held.map(({ object }) => object).filter(canBeAsked)), typeOf);
  const questions: OldQuestion[] = [];
  for (const [type, ofType] of Map.groupBy(textsInOrder(texts), typeOf)) {
    const actions = [...ofType.map(idOf), ...(hasWildcard ? [anyOther] : [])];
    const known = objects.get(type) ?? [];
    for (const action of actions) {
      questions.push({ action: `${type}:${action}`, object: '' });
      for (const object of [...known, unnamed(type, known)]) questions.push({ action, object });
    }
  }
  return questions;
}

const anyOther = '(any other)';

function canBeAsked(object: string): boolean {
  return object !== '' && problemOfObject(object) === undefined;
}

function unnamed(type: string, known: readonly string[]): string {
  let name = `${type}:${anyOther}`;
  while (known.includes(name)) name += "'";
  return name;
}

function add(into: Map<string, Map<string, Set<string>>>, holder: string, key: string, action: string): void {
  let ofHolder = into.get(holder);
  if (ofHolder === undefined) {
    ofHolder = new Map();
    into.set(holder, ofHolder);
  }
  const actions = ofHolder.get(key);
  if (actions === undefined) ofHolder.set(key, new Set([action]));
  else actions.add(action);
}
