/** Attributes of a query to values of CEL. Called by cel.ts, for every evaluation. */
import type { CelInput } from '@bufbuild/cel';
import { fromJson } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { findMismatch } from '../model/attribute-type.ts';
import type { Attributes, AttributeType, AttributeTypes, AttributeValue } from '../model/condition.ts';

/**
 * Attributes as CEL takes them: by their declared types, else as the JSON that they are, whose numbers are doubles.
 * Objects become maps, so that a missing key is an error and not "undefined".
 */
export function toCel(attributes: Attributes, types: AttributeTypes | undefined): Map<string, CelInput> {
  const entries = Object.entries(attributes);
  if (types === undefined) return new Map(entries.map(([name, value]) => [name, toCelValue(value)]));
  return new Map(entries.map(([name, value]) => [name, toTypedValue(value, types.get(name) ?? 'dyn')]));
}

/** What is not of its type stays what it is: whoever asks has been told, and CEL refuses what it cannot use. */
function toTypedValue(value: AttributeValue, type: AttributeType): CelInput {
  if (findMismatch(value, type) !== undefined) return toCelValue(value);
  return convert(value, type);
}

function convert(value: AttributeValue, type: AttributeType): CelInput {
  if (typeof type !== 'string') return (value as readonly AttributeValue[]).map((each) => convert(each, type.list));
  if (type === 'int') return BigInt(value as number);
  return type === 'timestamp' ? fromJson(TimestampSchema, value as string) : toCelValue(value);
}

function toCelValue(value: AttributeValue): CelInput {
  if (Array.isArray(value)) return value.map(toCelValue);
  return typeof value === 'object' && value !== null ? toCel(value as Attributes, undefined) : (value as CelInput);
}
