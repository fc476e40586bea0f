/**
 * Which decisions are recorded at all, as an operator writes it: rules such as
 * "outcome=denied type=doc|folder". Called once, at start; what it makes is
 * asked for every decision, on the hot path, and allocates nothing there.
 */
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';
import type { DecisionEntry, Source } from '../log.ts';

/** Names that are listed, and beginnings of names that were written with a star behind them. */
interface Names {
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];
}

/** All that is given must hold. */
export interface FilterRule {
  /** As written, for the start record. */
  readonly text: string;
  /** What mode enforce answers, or would have answered. */
  readonly outcome: boolean | undefined;
  readonly source: readonly string[] | undefined;
  readonly tenant: Names | undefined;
  readonly action: Names | undefined;
  /** Types of objects, each with its colon. */
  readonly type: Names | undefined;
}

const fields = ['outcome', 'type', 'action', 'tenant', 'source'];
const sources: Readonly<Record<Source, true>> = {
  check: true,
  batch: true,
  stream: true,
  list_objects: true,
  list_subjects: true,
  list_actions: true,
  explain: true,
};

/**
 * Parses one rule: conditions with spaces between them, each a field, "=" and values with "|" between them.
 * @throws PosternError INVALID_OPTION
 */
export function parseFilterRule(text: string): FilterRule {
  const found = new Map<string, readonly string[]>();
  for (const condition of text.split(/\s+/)) {
    const equals = condition.indexOf('=');
    const field = condition.slice(0, Math.max(equals, 0));
    if (!fields.includes(field)) {
      throw wrong(text, `${quote(condition)} is not field=value; the fields are ${fields.join(', ')}`);
    }
    if (found.has(field)) throw wrong(text, `names ${field} twice; write ${field}=one|other`);
    const values = condition.slice(equals + 1).split('|');
    if (values.includes('')) throw wrong(text, `${quote(condition)} has an empty value`);
    found.set(field, values);
  }
  for (const source of found.get('source') ?? []) {
    if (!Object.hasOwn(sources, source)) {
      throw wrong(text, `${quote(source)} is not a source; those are ${Object.keys(sources).join(', ')}`);
    }
  }
  return {
    text,
    outcome: outcomeOf(text, found.get('outcome')),
    source: found.get('source'),
    tenant: namesOf(text, found.get('tenant')),
    action: namesOf(text, found.get('action')),
    type: typesOf(text, found.get('type')),
  };
}

/** Whether an entry is what the rule describes. */
export function matchesRule(rule: FilterRule, entry: DecisionEntry): boolean {
  const { outcome, source, tenant, action, type } = rule;
  return (
    (outcome === undefined || outcome === entry.enforcedAllowed) &&
    (source === undefined || source.includes(entry.source)) &&
    (tenant === undefined || isNamed(tenant, entry.tenant)) &&
    (action === undefined || isNamed(action, entry.action)) &&
    (type === undefined || isOfType(type, entry.object))
  );
}

/** The rules that can say something of a tenant, without its name: another tenant's log must not show it. */
export function rulesFor(tenant: string, rules: readonly FilterRule[]): readonly string[] {
  return rules
    .filter((rule) => rule.tenant === undefined || isNamed(rule.tenant, tenant))
    .map(({ text }) => text.split(/\s+/).filter((condition) => !condition.startsWith('tenant=')))
    .map((conditions) => (conditions.length === 0 ? 'everything' : conditions.join(' ')));
}

function isNamed({ exact, prefixes }: Names, name: string): boolean {
  for (let i = 0; i < exact.length; i++) if (exact[i] === name) return true;
  for (let i = 0; i < prefixes.length; i++) if (name.startsWith(prefixes[i] as string)) return true;
  return false;
}

/** Cutting the type out of the object would make a text for every decision. */
function isOfType({ exact, prefixes }: Names, object: string): boolean {
  for (let i = 0; i < exact.length; i++) if (object.startsWith(exact[i] as string)) return true;
  for (let i = 0; i < prefixes.length; i++) {
    // The colon must come behind the beginning: "*" alone is any object, and no object is of no type.
    if (object.startsWith(prefixes[i] as string) && object.indexOf(':') >= (prefixes[i] as string).length) return true;
  }
  return false;
}

function outcomeOf(text: string, values: readonly string[] | undefined): boolean | undefined {
  if (values === undefined) return undefined;
  const [value] = values;
  if (values.length === 1 && (value === 'allowed' || value === 'denied')) return value === 'allowed';
  throw wrong(text, 'outcome is allowed or denied');
}

function namesOf(text: string, values: readonly string[] | undefined): Names | undefined {
  if (values === undefined) return undefined;
  const exact: string[] = [];
  const prefixes: string[] = [];
  for (const value of values) {
    const star = value.indexOf('*');
    if (star < 0) exact.push(value);
    else if (star === value.length - 1) prefixes.push(value.slice(0, star));
    else throw wrong(text, `${quote(value)} has a "*" that is not at its end`);
  }
  return { exact, prefixes };
}

function typesOf(text: string, values: readonly string[] | undefined): Names | undefined {
  const names = namesOf(text, values);
  const bad = values?.find((value) => value.includes(':'));
  if (bad !== undefined) throw wrong(text, `${quote(bad)} is not a type; a type is what stands before the colon`);
  return names === undefined ? undefined : { ...names, exact: names.exact.map((type) => `${type}:`) };
}

function wrong(text: string, problem: string): PosternError {
  return new PosternError('INVALID_OPTION', `rule ${quote(text)}: ${problem}`);
}
