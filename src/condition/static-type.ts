/**
 * What is known of a value before there is one. "dyn" may be anything; "none" is what an empty list or map holds. Used
 * by infer-type.ts and its parts; pure.
 */

import type { CelType } from '@bufbuild/cel';
import type { AttributeType, AttributeTypes } from '../model/condition.ts';

const plainKinds = [
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'null',
  'type',
  'timestamp',
  'duration',
  'dyn',
  'none',
] as const;

type PlainKind = (typeof plainKinds)[number];

/** The attributes of a query: a map from text, of which some values have declared types. */
export interface ContextType {
  readonly kind: 'context';
  /** Undefined where nothing is declared: then every attribute may be there. */
  readonly attributes: ReadonlyMap<string, StaticType> | undefined;
}

export type StaticType =
  | { readonly kind: PlainKind }
  | { readonly kind: 'list'; readonly element: StaticType }
  | { readonly kind: 'map'; readonly key: StaticType; readonly value: StaticType }
  | ContextType;

export const plain = Object.fromEntries(plainKinds.map((kind) => [kind, { kind }])) as {
  readonly [K in PlainKind]: { readonly kind: K };
};

export const listOf = (element: StaticType): StaticType => ({ kind: 'list', element });
export const mapOf = (key: StaticType, value: StaticType): StaticType => ({ kind: 'map', key, value });

/** The name of a type as CEL writes it. */
export function nameOf(type: StaticType): string {
  switch (type.kind) {
    case 'list':
      return `list(${nameOf(type.element)})`;
    case 'map':
      return `map(${nameOf(type.key)}, ${nameOf(type.value)})`;
    case 'context':
      return 'map(string, dyn)';
    default:
      return type.kind === 'none' ? 'dyn' : type.kind;
  }
}

/** The type of the CEL library; of lists and maps it knows nothing more. */
export function fromCel(type: CelType): StaticType {
  switch (type.kind) {
    case 'list':
      return listOf(fromCel(type.element));
    case 'map':
      return mapOf(fromCel(type.key), fromCel(type.value));
    case 'object':
      if (type.name === 'google.protobuf.Timestamp') return plain.timestamp;
      return type.name === 'google.protobuf.Duration' ? plain.duration : plain.dyn;
    case 'scalar':
      return type.name === 'null_type' ? plain.null : plain[type.name];
  }
}

export function contextOf(types: AttributeTypes | undefined): ContextType {
  if (types === undefined) return { kind: 'context', attributes: undefined };
  return { kind: 'context', attributes: new Map([...types].map(([name, type]) => [name, fromAttribute(type)])) };
}

function fromAttribute(type: AttributeType): StaticType {
  if (typeof type !== 'string') return listOf(fromAttribute(type.list));
  return type === 'map' ? mapOf(plain.string, plain.dyn) : plain[type];
}

export function isNumeric({ kind }: StaticType): boolean {
  return kind === 'int' || kind === 'uint' || kind === 'double';
}

/** Whether nothing is known of a value. */
export function isOpen({ kind }: StaticType): boolean {
  return kind === 'dyn' || kind === 'none';
}

/** The type of what is of the one or of the other. */
export function join(a: StaticType, b: StaticType): StaticType {
  if (a.kind === 'none') return b;
  if (b.kind === 'none') return a;
  if (a.kind === 'list' && b.kind === 'list') return listOf(join(a.element, b.element));
  if (a.kind === 'map' && b.kind === 'map') return mapOf(join(a.key, b.key), join(a.value, b.value));
  if (a.kind === 'context' || b.kind === 'context') return a === b ? a : plain.dyn;
  return a.kind === b.kind ? a : plain.dyn;
}

/** Whether no value of the one equals any value of the other. Lists and maps may both be empty, whatever they hold. */
export function isDisjoint(a: StaticType, b: StaticType): boolean {
  if (isOpen(a) || isOpen(b) || (isNumeric(a) && isNumeric(b))) return false;
  if (isNullable(a, b) || isNullable(b, a)) return false;
  return shapeOf(a) !== shapeOf(b);
}

// CEL lets messages be compared with null, and instants are messages to it.
function isNullable(one: StaticType, other: StaticType): boolean {
  return one.kind === 'null' && (other.kind === 'timestamp' || other.kind === 'duration');
}

export function isSame(a: StaticType, b: StaticType): boolean {
  if (a.kind === 'list' && b.kind === 'list') return isSame(a.element, b.element);
  if (a.kind === 'map' && b.kind === 'map') return isSame(a.key, b.key) && isSame(a.value, b.value);
  return a.kind === b.kind;
}

/** What is left of a type at run time, where lists and maps do not know what they hold. */
export function shapeOf({ kind }: StaticType): string {
  return kind === 'context' ? 'map' : kind;
}
