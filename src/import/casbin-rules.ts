/**
 * How casbin decides on a model and its policy lines, line by line. Called by
 * casbin.ts; it must know nothing of how the graph is made.
 */
import { idOf } from '../model/names.ts';
import type { CasbinModel } from './casbin-model.ts';
import { createObjectMatch } from './casbin-objects.ts';
import type { CasbinPolicy, Link } from './casbin-policy.ts';
import type { OldRules } from './importer.ts';

/** casbin's role manager looks no further up. */
const mostLevels = 10;

interface Rule {
  readonly act: string;
  readonly deny: boolean;
  readonly matches: (object: string) => boolean;
}

/** `allows` of the old rules, over names without their types. */
export function createCasbinAllows(
  model: CasbinModel,
  { lines, roles, resourceRoles }: CasbinPolicy,
): OldRules['allows'] {
  const exact = new Map<string, Map<string, Rule[]>>();
  const patterns = new Map<string, Rule[]>();
  for (const { sub, obj, act, effect } of lines) {
    if (effect !== 'allow' && !(effect === 'deny' && model.denyOverrides)) continue;
    const rule = { act, deny: effect === 'deny', matches: createObjectMatch(obj, model) };
    const isLiteral = model.objects !== 'keyMatch2' && !obj.includes('*');
    if (!isLiteral) push(patterns, sub, rule);
    else {
      const ofSub = exact.get(sub) ?? new Map<string, Rule[]>();
      exact.set(sub, ofSub);
      push(ofSub, obj, rule);
    }
  }
  const holdersOf = createClimb(roles);
  const objectsOf = createClimb(resourceRoles);
  return (subject, { action, object }) => {
    const name = idOf(subject);
    if (name === model.superuser) return true;
    const objects = objectsOf(idOf(object));
    let allowed = false;
    for (const holder of holdersOf(name)) {
      for (const one of objects) {
        for (const rules of [exact.get(holder)?.get(one), patterns.get(holder)]) {
          for (const { act, deny, matches } of rules ?? []) {
            if (!(act === action || (model.anyAction && act === '*')) || !matches(one)) continue;
            if (deny) return false;
            allowed = true;
          }
        }
      }
    }
    return allowed;
  };
}

/** A name and all above it. The answers are kept: the same names are asked for again and again. */
function createClimb(links: readonly Link[]): (name: string) => readonly string[] {
  const above = Map.groupBy(links, ({ from }) => from);
  const known = new Map<string, readonly string[]>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = new Set([name]);
    let level = [name];
    for (let depth = 0; depth < mostLevels && level.length > 0; depth++) {
      const next = level.flatMap((one) => (above.get(one) ?? []).map(({ to }) => to)).filter((to) => !found.has(to));
      for (const to of next) found.add(to);
      level = [...new Set(next)];
    }
    const all = [...found];
    known.set(name, all);
    return all;
  };
}

function push<T>(into: Map<string, T[]>, key: string, item: T): void {
  const list = into.get(key);
  if (list === undefined) into.set(key, [item]);
  else list.push(item);
}
