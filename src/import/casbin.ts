/**
 * casbin's model and CSV as a graph. A name on the right of a g line is a group,
 * everybody else is a user; a g2 line is a parent; policy lines of one subject on
 * one object are a binding, whose role is the set of their actions. Called by
 * `postern import casbin`.
 */
import type { BindingRecord, EntityRecord, MemberRecord, ObjectRecord, RoleRecord } from '../model/entity.ts';
import { isType, problemOfAction, problemOfObject, problemOfRoleName, problemOfSubject } from '../model/names.ts';
import { formatScope, type ScopeInput, toScopeInput } from '../model/scope.ts';
import { type CasbinModel, isCasbinModel, parseCasbinModel } from './casbin-model.ts';
import { samplesOf, scopeOf } from './casbin-objects.ts';
import { type CasbinPolicy, type Link, type PolicyLine, parseCasbinPolicy } from './casbin-policy.ts';
import { createCasbinAllows } from './casbin-rules.ts';
import type { Import, Leftover, OldQuestion, Source } from './importer.ts';
import { leftoversInOrder, recordsInOrder, textsInOrder } from './in-order.ts';
import { invalid } from './input.ts';

export interface CasbinOptions {
  /** The domain that is imported, where the model has domains. */
  readonly domain?: string;
  /** The type of all objects; casbin's have none. Default "object". */
  readonly objectType?: string;
}

interface Draft {
  readonly type: string;
  readonly model: CasbinModel;
  readonly leftovers: Leftover[];
  /** The subject that a name of casbin is here. */
  readonly subjectOf: (name: string) => string;
}

/** @param sources One model, recognised by its sections, and CSV files. @throws PosternError INVALID_REQUEST */
export function importCasbin(
  sources: readonly Source[],
  { domain, objectType: type = 'object' }: CasbinOptions,
): Import {
  const [models, policies] = [sources.filter(isCasbinModel), sources.filter((source) => !isCasbinModel(source))];
  const [modelSource] = models;
  if (modelSource === undefined || models.length > 1 || policies.length === 0) {
    throw invalid('casbin:', 'needs one model file (with [request_definition]) and at least one CSV file');
  }
  if (!isType(type)) throw invalid('--object-type', `${JSON.stringify(type)} is not a legal type`);
  const model = parseCasbinModel(modelSource);
  const policy = parseCasbinPolicy(policies, model, domain);
  const groups = new Set(policy.roles.map(({ to }) => to));
  const subjectOf = (name: string) => (groups.has(name) ? `group:${name}` : `user:${name}`);
  const draft: Draft = { type, model, leftovers: [], subjectOf };
  const records = [
    ...toMembers(policy.roles, draft),
    ...toObjects(policy.resourceRoles, draft),
    ...toBindings(policy.lines, draft),
  ];
  const names = new Set([...policy.lines.map(({ sub }) => sub), ...policy.roles.flatMap(({ from, to }) => [from, to])]);
  if (model.superuser !== undefined) {
    const subject = subjectOf(model.superuser);
    names.add(model.superuser);
    if (isLegal(subject, model.superuser, 'superuser', draft)) {
      const role: RoleRecord = {
        kind: 'role',
        name: 'superuser',
        description: 'May do everything.',
        permissions: ['*'],
      };
      records.push(role, { kind: 'binding', subject, role: role.name, scope: '*' });
    }
  }
  const subjects = textsInOrder([...names].map(subjectOf)).filter((subject) => problemOfSubject(subject) === undefined);
  return {
    records: recordsInOrder(records),
    rules: { subjects, questions: questionsOf(policy, draft), allows: createCasbinAllows(model, policy) },
    leftovers: leftoversInOrder(draft.leftovers),
  };
}

function toMembers(links: readonly Link[], draft: Draft): MemberRecord[] {
  return links.flatMap(({ from, to, text }) => {
    const [member, group] = [draft.subjectOf(from), draft.subjectOf(to)];
    const isFine = isLegal(member, from, text, draft) && isLegal(group, from, text, draft);
    return isFine ? [{ kind: 'member' as const, group, member }] : [];
  });
}

function isLegal(subject: string, whose: string, what: string, { leftovers, subjectOf }: Draft): boolean {
  const problem = problemOfSubject(subject);
  if (problem !== undefined) leftovers.push({ subject: subjectOf(whose), what, why: `the name ${subject} ${problem}` });
  return problem === undefined;
}

function toObjects(links: readonly Link[], { type, leftovers }: Draft): ObjectRecord[] {
  const parentsOf = new Map<string, Set<string>>();
  for (const { from, to, text } of links) {
    const [object, parent] = [`${type}:${from}`, `${type}:${to}`];
    const problem = problemOfObject(object) ?? problemOfObject(parent);
    if (problem !== undefined) {
      leftovers.push({ subject: '', what: text, why: `a name ${problem}` });
      continue;
    }
    parentsOf.set(object, (parentsOf.get(object) ?? new Set()).add(parent));
    parentsOf.set(parent, parentsOf.get(parent) ?? new Set());
  }
  return [...parentsOf].map(([object, names]) => {
    const parents = textsInOrder(names).map((parent) => ({ object: parent }));
    return { kind: 'object', object, ...(parents.length === 0 ? {} : { parents }) };
  });
}

function toBindings(lines: readonly PolicyLine[], draft: Draft): EntityRecord[] {
  const actionsOf = new Map<string, { subject: string; scope: ScopeInput; deny: boolean; actions: Set<string> }>();
  for (const { sub, obj, act, effect, text } of lines) {
    const { type, model, leftovers } = draft;
    const subject = draft.subjectOf(sub);
    const reached = scopeOf(obj, type, model);
    const why = whyNot(act, effect, model) ?? ('why' in reached ? reached.why : undefined);
    if (why !== undefined) leftovers.push({ subject, what: text, why });
    if (why !== undefined || 'why' in reached || !isLegal(subject, sub, text, draft)) continue;
    const deny = effect === 'deny';
    const key = JSON.stringify([subject, formatScope(reached.scope), deny]);
    const known = actionsOf.get(key) ?? {
      subject,
      scope: toScopeInput(reached.scope),
      deny,
      actions: new Set<string>(),
    };
    actionsOf.set(key, known);
    known.actions.add(act);
  }
  const roles = new Roles(draft.type);
  const bindings = [...actionsOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { subject, scope, deny, actions }]): BindingRecord => {
      return { kind: 'binding', subject, role: roles.nameFor(actions), scope, ...(deny ? { effect: 'deny' } : {}) };
    });
  return [...roles.records.values(), ...bindings];
}

function whyNot(act: string, effect: string, { anyAction, denyOverrides }: CasbinModel): string | undefined {
  if (effect !== 'allow' && !(effect === 'deny' && denyOverrides)) return 'the line has no effect in casbin, either';
  if (act === '*' && anyAction) return undefined;
  if (act.includes('*')) return 'a "*" in an action would stand for any text, which it does not in this model';
  const problem = problemOfAction(act);
  return problem === undefined ? undefined : `the action ${problem}`;
}

/** One role for each set of actions, called after them. */
class Roles {
  readonly records = new Map<string, RoleRecord>();
  readonly #type: string;
  readonly #names = new Set(['superuser']);

  constructor(type: string) {
    this.#type = type;
  }

  nameFor(actions: ReadonlySet<string>): string {
    const sorted = actions.has('*') ? ['*'] : textsInOrder(actions);
    const key = JSON.stringify(sorted);
    const known = this.records.get(key);
    if (known !== undefined) return known.name;
    const long = sorted[0] === '*' ? 'any action' : sorted.join('+');
    let name = problemOfRoleName(long) === undefined ? long : `${sorted.length} actions`;
    while (this.#names.has(name)) name += "'";
    this.#names.add(name);
    this.records.set(key, { kind: 'role', name, permissions: sorted.map((action) => `${this.#type}:${action}`) });
    return name;
  }
}

/** Every action on every object that a line names or shows, and on one more that stands for the rest. */
function questionsOf({ lines, resourceRoles }: CasbinPolicy, { type, model }: Draft): readonly OldQuestion[] {
  const rest = '(any other)';
  const named = [
    ...lines.flatMap(({ obj }) => samplesOf(obj, model)),
    ...resourceRoles.flatMap(({ from, to }) => [from, to]),
  ];
  const objects = textsInOrder([...named, rest].map((object) => `${type}:${object}`));
  const actions = textsInOrder([...lines.map(({ act }) => act), ...(model.anyAction ? [rest] : [])]);
  const askable = actions.filter((action) => problemOfAction(action) === undefined);
  return objects
    .filter((object) => problemOfObject(object) === undefined)
    .flatMap((object) => askable.map((action) => ({ action, object })));
}
