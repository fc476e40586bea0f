/** Texts, lists and one-line mappings as YAML that every parser reads alike. Called by print.ts. */

/** Plain in every YAML version and place; longer ones are quoted only where they must be. */
const plain = /^[A-Za-z][A-Za-z0-9_./-]*$/;
/** YAML 1.1 readers take these for booleans or nothing. */
const reserved = /^(true|false|yes|no|on|off|y|n|null)$/i;
const singleQuotable = /^[\x20-\x26\x28-\x7e]+$/;
const maxLineLength = 100;

/** A text as a scalar: plain where no reader can take it for something else, else in quotes. */
export function printText(text: string): string {
  if (plain.test(text) && !reserved.test(text)) return text;
  // JSON is YAML, but for the characters that YAML does not allow to stand for themselves.
  return singleQuotable.test(text)
    ? `'${text}'`
    : JSON.stringify(text).replaceAll(/[\x7f-\x9f\u2028\u2029\ufeff]/g, escapeUnit);
}

/** What follows the colon of a key that is indented by `indent`: items on its line where they fit, else one a line. */
export function printList(items: readonly string[], indent: number): string {
  const line = ` [${items.join(', ')}]`;
  if (line.length <= maxLineLength) return line;
  const start = `\n${' '.repeat(indent + 2)}- `;
  return start + items.join(start);
}

/** A mapping on one line; fields that are undefined are left out. */
export function printFields(fields: readonly (readonly [string, string | undefined])[]): string {
  const written = fields.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]));
  return `{ ${written.join(', ')} }`;
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
