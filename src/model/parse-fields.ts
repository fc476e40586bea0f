/**
 * Reading one field of untrusted JSON: the right type, a legal name, or a
 * STORE_CORRUPT error that says where. Called by parse-record.ts, and by whoever
 * parses what goes around records. It must never guess at a meaning.
 */
import { PosternError } from './errors.ts';
import { maxNoteBytes } from './limits.ts';
import { quote } from './names.ts';

/** A JSON object whose fields are not known to be anything yet. */
export type Json = Readonly<Record<string, unknown>>;
/** What is wrong with a text, or undefined; see names.ts. */
export type ProblemOf = (text: string) => string | undefined;

/** The value as a JSON object. */
export function objectAt(json: unknown, where: string, prefix: string): Json {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw corrupt(where, prefix.slice(0, -1), `is ${show(json)}; it must be an object`);
}

/** Refuses fields that are not known. */
export function onlyFields(from: Json, known: ReadonlySet<string>, where: string, prefix: string): void {
  for (const field in from) {
    if (!known.has(field)) {
      throw corrupt(where, `${prefix}${field}`, 'is not known here; it was perhaps written by a later version');
    }
  }
}

/** A field that must be text. */
export function textAt(from: Json, field: string, where: string, prefix = ''): string {
  const value = from[field];
  if (typeof value === 'string') return value;
  throw corrupt(where, prefix + field, `is ${show(value)}; it must be text`);
}

/** A field that must be text without a problem. */
export function nameAt(from: Json, field: string, problemOf: ProblemOf, where: string, prefix = ''): string {
  const text = textAt(from, field, where, prefix);
  const problem = problemOf(text);
  if (problem === undefined) return text;
  throw corrupt(where, prefix + field, `${quote(text)} ${problem}`);
}

/** A field that must be a list. */
export function listAt(from: Json, field: string, where: string, prefix = ''): readonly unknown[] {
  const value = from[field];
  if (Array.isArray(value)) return value;
  throw corrupt(where, prefix + field, `is ${show(value)}; it must be a list`);
}

/** A field that must be a list of texts without a problem. */
export function namesAt(
  from: Json,
  field: string,
  problemOf: ProblemOf,
  where: string,
  prefix = '',
): readonly string[] {
  const list = listAt(from, field, where, prefix);
  for (let i = 0; i < list.length; i++) {
    const text = list[i];
    const problem = typeof text === 'string' ? problemOf(text) : 'is not text';
    if (problem !== undefined) throw corrupt(where, `${prefix}${field}[${i}]`, `${show(text)} ${problem}`);
  }
  return list as readonly string[];
}

/** Free text for people, or undefined. */
export function noteAt(from: Json, field: string, where: string, prefix = ''): string | undefined {
  if (from[field] === undefined) return undefined;
  const text = textAt(from, field, where, prefix);
  // Line breaks are welcome in a note, so it is not held to what names are held to.
  if (text.length * 3 > maxNoteBytes && new TextEncoder().encode(text).length > maxNoteBytes) {
    throw corrupt(where, prefix + field, `is longer than ${maxNoteBytes} bytes`);
  }
  return text;
}

/** Milliseconds since 1970, or undefined. */
export function timeAt(from: Json, field: string, where: string): number | undefined {
  const value = from[field];
  if (value === undefined || Number.isSafeInteger(value)) return value as number | undefined;
  throw corrupt(where, field, `is ${show(value)}; it must be a whole number of milliseconds since 1970`);
}

/** True or false; `unset` where it is absent. */
export function flagAt(from: Json, field: string, unset: boolean, where: string, prefix = ''): boolean {
  const value = from[field];
  if (value === undefined) return unset;
  if (typeof value === 'boolean') return value;
  throw corrupt(where, prefix + field, `is ${show(value)}; it must be true or false`);
}

/** A value as it stands, for a message. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return quote(value);
  const text = jsonOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Reading JSON has no depth that it fails at; writing it has. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch (error) {
    if (error instanceof RangeError) return 'nested too deeply';
    throw error;
  }
}

/** The error of everything here. An empty field means the whole. */
export function corrupt(where: string, field: string, problem: string): PosternError {
  const what = field === '' ? 'the record' : field;
  return new PosternError('STORE_CORRUPT', `${where}: ${what} ${problem}`, { where, field });
}
