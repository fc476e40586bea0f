/**
 * Untrusted JSON of importers, read field by field. Every refusal is one
 * INVALID_REQUEST that names the file and the place in it. Called by the
 * importers; it must never guess what a wrong value was meant to be.
 */
import { messageOf, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { show } from '../model/parse-fields.ts';
import type { Source } from './importer.ts';

/** A value and where it is, for messages: `dump.json: users[3].username`. */
export interface Field {
  readonly value: unknown;
  readonly place: string;
}

/** What is wrong with the input, and where. */
export function invalid(place: string, problem: string): PosternError {
  return new PosternError('INVALID_REQUEST', `${place} ${problem}`, { field: place });
}

/** The root of a JSON document. @throws PosternError INVALID_REQUEST */
export function parseJson({ name, text }: Source): Field {
  try {
    // A byte order mark is no part of the document.
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')), place: `${name}:` };
  } catch (error) {
    throw invalid(`${name}:`, `is not JSON: ${messageOf(error)}; export it again, or give the file that was meant`);
  }
}

/** A field of an object; its value is undefined where it is absent or null, which exports write alike. @throws PosternError INVALID_REQUEST */
export function fieldOf(parent: Field, name: string): Field {
  const { value } = parent;
  if (!isObject(value)) throw invalid(parent.place, 'is not an object: write {...}');
  // A name may be anybody's: quoted, it cannot break the line.
  const shown = /^[\w$.-]+$/.test(name) ? name : quote(name);
  const place = parent.place.endsWith(':') ? `${parent.place} ${shown}` : `${parent.place}.${shown}`;
  return { value: Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined, place };
}

/** The names and values of an object, in the order of the document. @throws PosternError INVALID_REQUEST */
export function entriesOf(field: Field): readonly (readonly [name: string, value: Field])[] {
  if (!isObject(field.value)) throw invalid(field.place, 'is not an object: write {...}');
  return Object.keys(field.value).map((name) => [name, fieldOf(field, name)]);
}

/** The elements of an array. @throws PosternError INVALID_REQUEST */
export function itemsOf({ value, place }: Field): readonly Field[] {
  if (!Array.isArray(value)) throw invalid(place, value === undefined ? 'is missing' : 'is not a list: write [...]');
  return value.map((item: unknown, i) => ({
    value: item,
    place: place.endsWith(':') ? `${place} [${i}]` : `${place}[${i}]`,
  }));
}

/** The elements of an array that may be left out. @throws PosternError INVALID_REQUEST */
export function optionalItemsOf(field: Field): readonly Field[] {
  return field.value === undefined ? [] : itemsOf(field);
}

/** A text that is not empty. @throws PosternError INVALID_REQUEST */
export function textOf({ value, place }: Field): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(place, value === undefined ? 'is missing' : `is ${show(value)}; it must be text that is not empty`);
}

export function optionalTextOf(field: Field): string | undefined {
  return field.value === undefined || field.value === '' ? undefined : textOf(field);
}

/** true or false; absent is `otherwise`. @throws PosternError INVALID_REQUEST */
export function flagOf({ value, place }: Field, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value;
  throw invalid(place, `is ${show(value)}; write true or false`);
}

/** Refuses names that mean nothing here: a misspelt field must not be passed over. @throws PosternError INVALID_REQUEST */
export function expectOnly(field: Field, known: readonly string[]): void {
  for (const [name, { place }] of entriesOf(field)) {
    if (!known.includes(name)) throw invalid(place, `is not known here; there are ${known.join(', ')}`);
  }
}

/** By JavaScript string comparison, for orders that do not depend on a locale. */
export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
