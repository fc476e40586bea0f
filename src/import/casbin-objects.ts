/**
 * What the third column of a policy line reaches, in both worlds: as casbin's
 * functions compare it, and as the scope that reaches exactly the same objects.
 * Called by casbin.ts and casbin-rules.ts.
 */
import { messageOf } from '../model/errors.ts';
import { problemOfObject } from '../model/names.ts';
import { parseScope, type Scope, toScopeInput } from '../model/scope.ts';
import { compileRegex } from '../regex/re2.ts';
import type { CasbinModel } from './casbin-model.ts';

/** A scope, or why there is none that is exact. */
export type Reached = { readonly scope: Scope } | { readonly why: string };

/** The scope of objects "type:..." that a text in a policy line reaches. */
export function scopeOf(text: string, type: string, { objects, anyObject }: CasbinModel): Reached {
  if (anyObject && text === '*') return { scope: { kind: 'type', type } };
  // RE2 takes "^*$" for "ends", which every text does.
  if (objects === 'keyMatch2' && text === '*') return { scope: { kind: 'type', type } };
  if (objects === 'keyMatch' && text.includes('*')) return prefixScope(text.slice(0, text.indexOf('*')), type);
  if (objects === 'keyMatch2' && /[*:.+?()[\]{}|^$\\]/.test(text)) return keyMatch2Scope(text, type);
  const object = `${type}:${text}`;
  const problem = problemOfObject(object);
  return problem === undefined ? { scope: { kind: 'object', object } } : { why: `as an object, ${object} ${problem}` };
}

/** Texts that show what a text in a policy line reaches, for questions. */
export function samplesOf(text: string, { objects, anyObject }: CasbinModel): readonly string[] {
  if (anyObject && text === '*') return [];
  if (objects === 'keyMatch' && text.includes('*')) {
    const prefix = text.slice(0, text.indexOf('*'));
    return [prefix, `${prefix}x`, `${prefix}x/y`].filter((sample) => sample !== '');
  }
  if (objects !== 'keyMatch2') return [text];
  const sample = text.replaceAll(/:[^/]+/g, 'x');
  return [sample.replaceAll('*', ''), sample.replaceAll('*', 'y'), sample.replaceAll('*', 'y/z')];
}

/** Whether a request's object is one that the text of a policy line means; resource roles are walked by the caller. */
export function createObjectMatch(text: string, { objects, anyObject }: CasbinModel): (object: string) => boolean {
  if (anyObject && text === '*') return () => true;
  const star = text.indexOf('*');
  if (objects === 'keyMatch' && star >= 0) {
    const prefix = text.slice(0, star);
    return (object) => (object.length > star ? object.slice(0, star) === prefix : object === prefix);
  }
  if (objects !== 'keyMatch2') return (object) => object === text;
  try {
    // Not only the whole text: with alternatives, each end is held by one of them alone.
    return compileRegex(`(?s:.*)(?:^${keyMatch2Regex(text)}$)(?s:.*)`).matches;
  } catch {
    return () => false; // casbin fails on such a line; it grants nothing.
  }
}

/** As casbin makes it: whatever else the text holds is live, too. */
function keyMatch2Regex(text: string): string {
  return text.replaceAll('/*', '/.*').replaceAll(/:[^/]+/g, '[^/]+');
}

function keyMatch2Scope(text: string, type: string): Reached {
  if (!/[*:.+?()[\]{}|^$\\]/.test(text.replaceAll('/*', '/'))) return checked({ kind: 'glob', type, pattern: text });
  if (/[|^$]/.test(text)) return { why: 'the pattern is an expression that no scope can say' };
  const regex = keyMatch2Regex(text);
  try {
    compileRegex(regex);
  } catch (error) {
    return { why: messageOf(error) };
  }
  return checked({ kind: 'regex', type, regex });
}

function prefixScope(prefix: string, type: string): Reached {
  return prefix === '' ? { scope: { kind: 'type', type } } : checked({ kind: 'glob', type, pattern: `${prefix}*` });
}

function checked(scope: Scope): Reached {
  try {
    return { scope: parseScope(toScopeInput(scope)) };
  } catch (error) {
    return { why: messageOf(error) };
  }
}
