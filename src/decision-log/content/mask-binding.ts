/**
 * Masks where ids are parts of something else: the deciding binding, and the
 * path to it. Subjects and groups in them are masked as the subject is, scopes
 * and ancestors as the object is. What an administrator wrote freely (names of
 * bindings, conditions, permissions on single objects) may hold an id anywhere.
 */
import type { Path } from '../../engine/explain.ts';
import { isWildcard, typeOf } from '../../model/names.ts';
import type { ScopeInput } from '../../model/scope.ts';
import { toWrittenPath, type WrittenPath, type WrittenStep } from './deciding-path.ts';
import type { MaskedField, MaskKind } from './mask-rules.ts';
import { type Digest, type Mask, nameMask } from './mask-values.ts';
import { remembering } from './recent.ts';

/** Undefined leaves a name as it is. */
export interface NameMasks {
  readonly subject: Mask | undefined;
  /** For a group that the caller asserted: what is stricter of the masks of subjects and of asserted groups. */
  readonly asserted: Mask | undefined;
  readonly object: Mask | undefined;
  /** Patterns of scopes, as texts, where the object is hashed; otherwise they are dropped with it. */
  readonly pattern: Digest | undefined;
  /** What may hold any id, where all of these are hashed; otherwise it is dropped. */
  readonly free: Digest | undefined;
}

/** What the rules of single fields mean for names within others. */
export function nameMasksOf(fields: ReadonlyMap<MaskedField, MaskKind>, digest: Digest): NameMasks {
  const subject = fields.get('subject');
  const asserted = stricter(subject, fields.get('asserted_groups'));
  const object = fields.get('object');
  const set = [subject, asserted, object].filter((kind) => kind !== undefined);
  return {
    subject: subject && remembering(nameMask(subject, digest)),
    asserted: asserted && nameMask(asserted, digest),
    object: object && remembering(nameMask(object, digest)),
    pattern: object?.kind === 'hash' ? digest : undefined,
    free: set.length > 0 && set.every(({ kind }) => kind === 'hash') ? digest : undefined,
  };
}

function stricter(a: MaskKind | undefined, b: MaskKind | undefined): MaskKind | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.kind === 'truncate' && b.kind === 'truncate') return a.length < b.length ? a : b;
  return [a, b].find(({ kind }) => kind === 'drop') ?? [a, b].find(({ kind }) => kind === 'hash') ?? a;
}

type Groups = readonly string[] | undefined;

/**
 * The binding as JSON, null for a part that is not shown.
 * @param groups What the caller asserted.
 * @throws Error for a text of an unexpected form
 */
export function maskBinding(binding: string, masks: NameMasks, groups: Groups): string {
  const parts: unknown = JSON.parse(binding);
  if (!Array.isArray(parts) || parts.length < 4 || parts.length > 5) throw new Error('not a binding');
  const [subject, role, scope, effect, name] = parts as [string, string, ScopeInput, string, string | undefined];
  const masked = [maskPrincipal(subject, masks, groups) ?? null, role, maskScope(scope, masks) ?? null, effect];
  if (name !== undefined) masked.push(masks.free === undefined ? null : `hmac-${masks.free(name)}`);
  return JSON.stringify(masked);
}

/** @throws Error for a path of an unexpected form */
export function maskPath(path: Path, masks: NameMasks, groups: Groups): WrittenPath {
  // "read on doc:42"; short ones name no object.
  const isLong = masks.object !== undefined && path.permission.includes(' on ');
  const written = toWrittenPath({ ...path, condition: '', permission: isLong ? '' : path.permission });
  const { scope: _, subject_steps, object_steps, ...rest } = written;
  const scope = maskScope(path.scope.startsWith('{') ? (JSON.parse(path.scope) as ScopeInput) : path.scope, masks);
  const ofSubject = (step: WrittenStep) => maskStep(step, (name) => maskPrincipal(name, masks, groups));
  const ofObject = (step: WrittenStep) => maskStep(step, masks.object ?? ((name) => name));
  return {
    ...(subject_steps === undefined ? {} : { subject_steps: subject_steps.map(ofSubject) }),
    ...rest,
    ...(scope === undefined ? {} : { scope: typeof scope === 'string' ? scope : JSON.stringify(scope) }),
    ...(object_steps === undefined ? {} : { object_steps: object_steps.map(ofObject) }),
  };
}

function maskStep({ from, to, asserted }: WrittenStep, mask: Mask): WrittenStep {
  const shownFrom = from === undefined ? undefined : mask(from);
  const shownTo = to === undefined ? undefined : mask(to);
  return {
    ...(shownFrom === undefined ? {} : { from: shownFrom }),
    ...(shownTo === undefined ? {} : { to: shownTo }),
    ...(asserted === undefined ? {} : { asserted }),
  };
}

function maskPrincipal(name: string, { subject, asserted }: NameMasks, groups: Groups): string | undefined {
  const mask = groups?.includes(name) === true ? asserted : subject;
  return mask === undefined ? name : mask(name);
}

function maskScope(scope: ScopeInput, { object, pattern }: NameMasks): ScopeInput | undefined {
  if (object === undefined) return scope;
  if (typeof scope !== 'string') {
    if ('object' in scope) return object(scope.object);
    return pattern === undefined ? undefined : `${scope.type}:hmac-${pattern(scope.regex)}`;
  }
  if (scope === '*' || isWildcard(scope)) return scope;
  // A pattern is made of parts of ids; cut short, it would be another pattern.
  if (!scope.includes('*')) return object(scope);
  return pattern === undefined ? undefined : `${typeOf(scope)}:hmac-${pattern(scope)}`;
}
