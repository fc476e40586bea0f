/**
 * The conditions that random graphs use, each as CEL and as the plain function
 * that it means. A function throws where CEL cannot say.
 */
import type { AttributeValue } from '../../src/model/condition.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Query } from '../../src/model/query.ts';

/** What an attribute is declared to be, or undefined. */
type TypeOf = (attribute: string) => string | undefined;
type Meaning = (query: Query, now: number, typeOf: TypeOf) => boolean;

const meanings: Readonly<Record<string, Meaning>> = {
  'context.vip': (query) => truth(attribute(query, 'vip')),
  'context.level < 1': (query) => number(attribute(query, 'level')) < 1,
  'object.endsWith(":2")': (query) => query.object.endsWith(':2'),
  'context.level > 1': (query) => number(attribute(query, 'level')) > 1,
  'has(context.level) && context.level > 1': (query) =>
    query.attributes?.level !== undefined && number(query.attributes.level) > 1,
  // Where one side is true, it does not matter that the other cannot be said.
  'context.vip || context.level > 1': (query) =>
    eitherOf(
      () => truth(attribute(query, 'vip')),
      () => number(attribute(query, 'level')) > 1,
    ),
  'object.startsWith("doc:")': (query) => query.object.startsWith('doc:'),
  'subject != "user:a"': (query) => query.subject !== 'user:a',
  'action == "read"': (query) => query.action === 'read',
  'now < timestamp("2001-09-09T01:46:40Z")': (_, now) => now < 1_000_000_000_000,
  // There is % for ints only, and only an attribute that is declared as one is an int.
  'context.level % 2 == 0': (query, _, typeOf) => {
    const level = number(attribute(query, 'level'));
    return typeOf('level') === 'int' && Number.isInteger(level) ? level % 2 === 0 : cannotSay();
  },
  'now < context.until': (query, now, typeOf) => {
    const until = Date.parse(String(attribute(query, 'until')));
    return typeOf('until') === 'timestamp' && !Number.isNaN(until) ? now < until : cannotSay();
  },
};

export const conditionTexts: readonly string[] = Object.keys(meanings);

/** @param records The graph, for the attributes that it declares. @throws PosternError CONDITION_FAILED */
export function conditionHolds(
  condition: string | undefined,
  query: Query,
  now: number,
  records: readonly EntityRecord[],
): boolean {
  if (condition === undefined) return true;
  const meaning = meanings[condition];
  if (meaning === undefined) throw new Error(`the reference does not know what ${condition} means`);
  return meaning(query, now, (name) => {
    for (const record of records) if (record.kind === 'attribute' && record.name === name) return record.type;
    return undefined;
  });
}

function attribute(query: Query, name: string): AttributeValue {
  const value = query.attributes?.[name];
  return value === undefined ? cannotSay() : value;
}

function truth(value: AttributeValue): boolean {
  return typeof value === 'boolean' ? value : cannotSay();
}

function number(value: AttributeValue): number {
  return typeof value === 'number' ? value : cannotSay();
}

function eitherOf(left: () => boolean, right: () => boolean): boolean {
  const sides = [left, right].map((side) => {
    try {
      return side();
    } catch {
      return undefined;
    }
  });
  if (sides.includes(true)) return true;
  return sides.includes(undefined) ? cannotSay() : false;
}

export function cannotSay(): never {
  throw new PosternError('CONDITION_FAILED', 'the reference cannot say');
}
