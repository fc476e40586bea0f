/**
 * What may this subject do on this object? The actions asked are those that the
 * object's type declares or that some role names for it; each is weighed as
 * Check would weigh it.
 */
import { chunksOf } from '../graph/chunked.ts';
import { compileGlob, matchesGlob } from '../graph/glob.ts';
import { at } from '../graph/paged.ts';
import { actionPatterns, type Word } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { typeOf } from '../model/names.ts';
import type { Query } from '../model/query.ts';
import { activeRolesOf, partsOf } from './active-roles.ts';
import { isAllowed, weigh } from './decide.ts';
import { lookUnits, Pace, type Steps, weighUnits } from './steps.ts';
import { sharedWalk, walkFor } from './walk.ts';

export type ActionQuestion = Omit<Query, 'action'>;

export interface ActionAnswer {
  /** Allowed actions, sorted. */
  readonly actions: readonly string[];
  /** Granted patterns of actions, sorted; explicit denials and exceptions still apply. */
  readonly patterns: readonly string[];
}

/** In steps. @throws PosternError ROLES_CONFLICT unless the mode is off, CONDITION_FAILED in mode enforce */
export function* listActions(snapshot: Snapshot, question: ActionQuestion, nowMs: number): Steps<ActionAnswer> {
  const pace = new Pace();
  const known = knownActions(snapshot, question.object, yield* vocabularyOf(snapshot, pace));
  if (snapshot.mode !== 'enforce') {
    if (snapshot.mode === 'shadow') activeRolesOf(snapshot, question.activeRoles);
    return { actions: known, patterns: ['*'] };
  }
  const object = snapshot.names.findNode(question.object);
  const actions: string[] = [];
  walkFor(snapshot, { ...question, action: '' }, nowMs);
  for (const action of known) {
    if (pace.spend(weighUnits)) {
      yield;
      walkFor(snapshot, { ...question, action: '' }, nowMs);
    }
    sharedWalk.expandObject(snapshot, question.object, object, action);
    if (isAllowed(weigh(snapshot, sharedWalk, question.reach, nowMs))) actions.push(action);
  }
  return { actions, patterns: yield* grantedPatterns(snapshot, question, nowMs, pace) };
}

/** Actions that are worth asking about on an object, sorted; without one, also as "type:action". */
function knownActions(snapshot: Snapshot, object: string, vocabulary: Vocabulary): string[] {
  const actions = new Set<string>();
  if (object === '') {
    for (const [type, names] of vocabulary.literal) {
      for (const action of names) actions.add(type === '*' ? action : `${type}:${action}`);
    }
    for (const record of snapshot.typeRecords.values()) {
      for (const action of record.actions ?? []) actions.add(`${record.name}:${action}`);
    }
  } else {
    const type = typeOf(object);
    for (const action of vocabulary.literal.get(type) ?? []) actions.add(action);
    for (const action of vocabulary.literal.get('*') ?? []) actions.add(action);
    for (const word of vocabulary.partial) if (matchesGlob(compileGlob(word.type), type)) actions.add(word.action);
    for (const action of snapshot.typeRecords.get(type)?.actions ?? []) actions.add(action);
  }
  return [...actions].sort();
}

interface Vocabulary {
  /** Literal actions by type, "*" among the types. */
  readonly literal: ReadonlyMap<string, ReadonlySet<string>>;
  /** Literal actions for types given by a glob such as "app*". */
  readonly partial: readonly Word[];
}

// Gathering the words of 2,500 roles takes some 20 ms, so it is done once for
// each list of roles; the list itself is the key and is never changed.
const vocabularies = new WeakMap<Snapshot['roles'], Vocabulary>();

function* vocabularyOf(snapshot: Snapshot, pace: Pace): Steps<Vocabulary> {
  const gathered = vocabularies.get(snapshot.roles);
  if (gathered !== undefined) return gathered;
  const literal = new Map<string, Set<string>>();
  const partial: Word[] = [];
  for (const role of snapshot.roles) {
    for (const word of role?.own.vocabulary ?? []) {
      if (word.type !== '*' && word.type.includes('*')) partial.push(word);
      else {
        const actions = literal.get(word.type);
        if (actions === undefined) literal.set(word.type, new Set([word.action]));
        else actions.add(word.action);
      }
      if (pace.spend(lookUnits)) yield;
    }
  }
  const vocabulary = { literal, partial };
  vocabularies.set(snapshot.roles, vocabulary);
  return vocabulary;
}

function* grantedPatterns(
  snapshot: Snapshot,
  question: ActionQuestion,
  nowMs: number,
  pace: Pace,
): Steps<readonly string[]> {
  const patterns = new Set<string>();
  const expand = () => walkFor(snapshot, { ...question, action: '' }, nowMs);
  const walk = expand();
  for (const principal of walk.principals.toArray()) {
    for (const chunk of chunksOf(at(snapshot.bindingsOf, principal))) {
      for (const binding of chunk) {
        if (binding.deny || binding.extra?.condition !== undefined) continue;
        if (question.reach === 'exact' ? binding.scope !== walk.objectNode : !walk.scopes.has(binding.scope)) continue;
        if (binding.expiresAt !== 0 && nowMs >= binding.expiresAt) continue;
        if (!binding.cascade && binding.scope !== walk.objectNode) continue;
        for (const part of partsOf(snapshot, walk.active, binding)) {
          for (const pattern of actionPatterns(part, walk)) patterns.add(pattern);
        }
      }
      if (pace.spend(chunk.length * lookUnits)) {
        yield;
        expand();
      }
    }
  }
  return [...patterns].sort();
}
