/**
 * What exports of databases and servers share beyond plain JSON: lists of
 * documents, and names that become ids. Called by the importers of such
 * exports; like input.ts it must never guess.
 */
import { quote } from '../model/names.ts';
import type { Source } from './importer.ts';
import { entriesOf, type Field, invalid, itemsOf, parseJson, textOf } from './input.ts';

/**
 * The documents of a collection: a JSON list, or one document a line, as mongoexport writes without --jsonArray.
 * An empty text is an empty collection. @throws PosternError INVALID_REQUEST
 */
export function parseDocuments(source: Source): readonly Field[] {
  const text = source.text.replace(/^\uFEFF/, '');
  if (text.trimStart().startsWith('[')) return itemsOf(parseJson(source));
  return text
    .split('\n')
    .flatMap((line, i) =>
      line.trim() === '' ? [] : [parseJson({ name: `${source.name}: line ${i + 1}`, text: line })],
    );
}

export function isAbsent({ value }: Field): boolean {
  return value === undefined;
}

/** Name and value of every field of an object that may be absent. @throws PosternError INVALID_REQUEST */
export function optionalEntriesOf(field: Field): readonly (readonly [name: string, value: Field])[] {
  return isAbsent(field) ? [] : entriesOf(field);
}

/**
 * A text that becomes a name: `toName` makes it, `problemOf` judges it.
 * @returns the text itself
 * @throws PosternError INVALID_REQUEST
 */
export function nameOf(
  field: Field,
  toName: (text: string) => string,
  problemOf: (name: string) => string | undefined,
): string {
  const text = textOf(field);
  const problem = problemOf(toName(text));
  if (problem === undefined) return text;
  throw invalid(field.place, `would become ${quote(toName(text))}, which ${problem}; rename it before the export`);
}

/** Remembers a name, and refuses it the second time. @throws PosternError INVALID_REQUEST */
export function refuseTwice(seen: Set<string>, name: string, field: Field, what: string): void {
  if (seen.has(name)) throw invalid(field.place, `is the ${what} ${quote(name)} a second time; remove one`);
  seen.add(name);
}
