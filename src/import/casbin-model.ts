/**
 * A casbin model, as far as it is one of the shapes that role graphs can say:
 * RBAC, with resource roles, with domains, with deny overriding, with patterns
 * of objects. Called by casbin.ts. A matcher or an effect that is anything else
 * is refused with its line; nothing of a model is passed over.
 */
import { quote } from '../model/names.ts';
import type { Source } from './importer.ts';
import { invalid } from './input.ts';

/** How an object of a request is compared with that of a policy line. */
export type ObjectMatch = 'equal' | 'resource roles' | 'keyMatch' | 'keyMatch2';

export interface CasbinModel {
  readonly hasDomains: boolean;
  /** Whether policy lines end with an effect. */
  readonly hasEffect: boolean;
  /** Whether one deny beats every allow; without it, deny lines do nothing. */
  readonly denyOverrides: boolean;
  /** Whether the matcher looks at g. */
  readonly hasRoles: boolean;
  readonly objects: ObjectMatch;
  /** Whether "*" in a policy line stands for every object. */
  readonly anyObject: boolean;
  /** Whether "*" in a policy line stands for every action. */
  readonly anyAction: boolean;
  /** Who may do everything. */
  readonly superuser: string | undefined;
}

interface Statement {
  readonly text: string;
  readonly place: string;
}

const sections: Readonly<Record<string, readonly string[]>> = {
  request_definition: ['r'],
  policy_definition: ['p'],
  role_definition: ['g', 'g2'],
  policy_effect: ['e'],
  matchers: ['m'],
};

const allowEffect = 'some(where(p.eft==allow))';
const denyEffect = `${allowEffect}&&!some(where(p.eft==deny))`;

export function isCasbinModel({ text }: Source): boolean {
  return /^\s*\[\s*request_definition\s*\]/m.test(text);
}

/** @throws PosternError INVALID_REQUEST, naming the line that no graph can say */
export function parseCasbinModel(source: Source): CasbinModel {
  const statements = readStatements(source);
  const need = (key: string): Statement => {
    const found = statements.get(key);
    if (found === undefined) throw invalid(`${source.name}:`, `has no ${key} = ...; a model needs r, p, e and m`);
    return found;
  };
  const request = columnsOf(need('r'), ['sub,obj,act', 'sub,dom,obj,act']);
  const policy = columnsOf(need('p'), ['sub,obj,act', 'sub,dom,obj,act', 'sub,obj,act,eft', 'sub,dom,obj,act,eft']);
  const hasDomains = request.includes('dom');
  if (policy.includes('dom') !== hasDomains) throw invalid(need('p').place, 'and r do not both have a domain');
  const effect = need('e');
  if (![allowEffect, denyEffect].includes(compact(effect.text))) {
    const known = '"some(where (p.eft == allow))", alone or with "&& !some(where (p.eft == deny))"';
    throw invalid(effect.place, `is an effect that no graph can say; it can be ${known}`);
  }
  const roles = statements.get('g');
  if (roles !== undefined) columnsOf(roles, [hasDomains ? '_,_,_' : '_,_']);
  const resourceRoles = statements.get('g2');
  if (resourceRoles !== undefined) columnsOf(resourceRoles, ['_,_']);
  const matcher = readMatcher(need('m'), hasDomains);
  const hasEffect = policy.includes('eft');
  if (hasEffect && matcher.superuser !== undefined) {
    throw invalid(need('m').place, 'has a superuser beside policy lines with an effect, which no graph can say');
  }
  for (const [key, used] of [
    ['g', matcher.hasRoles],
    ['g2', matcher.objects === 'resource roles'],
  ] as const) {
    const defined = statements.get(key);
    if (used && defined === undefined) throw invalid(need('m').place, `uses ${key}, which [role_definition] lacks`);
    if (!used && defined !== undefined)
      throw invalid(defined.place, 'is not used by the matcher; remove it and its lines');
  }
  return { hasDomains, hasEffect, denyOverrides: compact(effect.text) === denyEffect, ...matcher };
}

/** Statements by their key: "m" to the text behind its equals sign. */
function readStatements({ name, text }: Source): ReadonlyMap<string, Statement> {
  const statements = new Map<string, Statement>();
  let section = '';
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const place = `${name}: line ${i + 1}`;
    let line = withoutComment(lines[i] as string);
    while (line.endsWith('\\')) line = line.slice(0, -1) + withoutComment(lines[++i] ?? '');
    if (line === '') continue;
    const header = /^\[\s*(\w+)\s*\]$/.exec(line)?.[1];
    if (header !== undefined) {
      if (!Object.hasOwn(sections, header))
        throw invalid(place, `begins section ${quote(header)}, which no graph can say`);
      section = header;
      continue;
    }
    const [, key = '', value = ''] = /^(\w+)\s*=(.*)$/s.exec(line) ?? [];
    if (!sections[section]?.includes(key) || statements.has(key)) {
      throw invalid(
        place,
        `is ${quote(line)}; in section [${section}] there can be one ${sections[section]?.join(' and one ')}`,
      );
    }
    statements.set(key, { text: value.trim(), place: `${place}, ${key},` });
  }
  return statements;
}

function withoutComment(line: string): string {
  return line.replace(/[#;].*$/, '').trim();
}

function columnsOf({ text, place }: Statement, shapes: readonly string[]): readonly string[] {
  const columns = compact(text);
  if (!shapes.includes(columns)) throw invalid(place, `is ${quote(text)}; it can be ${shapes.join(' or ')}`);
  return columns.split(',');
}

type Matcher = Pick<CasbinModel, 'hasRoles' | 'objects' | 'anyObject' | 'anyAction' | 'superuser'>;

const objectTerms: Readonly<Record<string, ObjectMatch>> = {
  'r.obj==p.obj': 'equal',
  'p.obj==r.obj': 'equal',
  'g2(r.obj,p.obj)': 'resource roles',
  'keyMatch(r.obj,p.obj)': 'keyMatch',
  'keyMatch2(r.obj,p.obj)': 'keyMatch2',
};

/** A conjunction of one term for each column, and perhaps a superuser. */
function readMatcher({ text, place }: Statement, hasDomains: boolean): Matcher {
  const [rule = '', superuserTerm, ...more] = splitOutside(unwrap(compact(text)), '||');
  const superuser = superuserTerm === undefined ? undefined : /^r\.sub=="([^"]+)"$/.exec(unwrap(superuserTerm))?.[1];
  if (more.length > 0 || (superuserTerm !== undefined && superuser === undefined)) {
    throw invalid(
      place,
      `is a choice that no graph can say; only "... || r.sub == \\"root\\"" is`.replaceAll('\\"', '"'),
    );
  }
  const found: { sub?: boolean; dom?: true; obj?: ObjectMatch; act?: true; anyObject?: true; anyAction?: true } = {};
  const roleTerm = hasDomains ? 'g(r.sub,p.sub,r.dom)' : 'g(r.sub,p.sub)';
  for (const term of splitOutside(unwrap(rule), '&&')) {
    const [main = '', orAll, ...others] = splitOutside(unwrap(term), '||').map(unwrap);
    const object = objectTerms[main];
    const isPlain = orAll === undefined && others.length === 0;
    const isOr = (column: string) => others.length === 0 && (orAll === undefined || orAll === `p.${column}=="*"`);
    if (isPlain && found.sub === undefined && (main === roleTerm || isEqual(main, 'sub')))
      found.sub = main === roleTerm;
    else if (isPlain && hasDomains && isEqual(main, 'dom')) found.dom = true;
    else if (object !== undefined && found.obj === undefined && isOr('obj')) {
      found.obj = object;
      if (orAll !== undefined) found.anyObject = true;
    } else if (isEqual(main, 'act') && found.act === undefined && isOr('act')) {
      found.act = true;
      if (orAll !== undefined) found.anyAction = true;
    } else throw invalid(place, `has the term ${quote(term)}, which no graph can say; see docs/migration.md`);
  }
  const { sub, dom, obj, act, anyObject = false, anyAction = false } = found;
  if (sub === undefined || obj === undefined || act === undefined || (hasDomains && dom === undefined)) {
    throw invalid(place, 'does not compare every column of r with that of p, which no graph can say');
  }
  return { hasRoles: sub, objects: obj, anyObject, anyAction, superuser };
}

function isEqual(term: string, column: string): boolean {
  return term === `r.${column}==p.${column}` || term === `p.${column}==r.${column}`;
}

/** Without the spaces that are not in quotes; quotes are double ones then. */
function compact(text: string): string {
  return text.replaceAll(/("[^"]*"|'[^']*')|\s+/g, (_, quoted?: string) =>
    quoted === undefined ? '' : `"${quoted.slice(1, -1)}"`,
  );
}

/** Splits where the separator is in no parentheses and no quotes. */
function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    if (quoted) continue;
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (depth === 0 && text.startsWith(separator, i)) {
      pieces.push(text.slice(start, i));
      start = i + separator.length;
      i = start - 1;
    }
  }
  return [...pieces, text.slice(start)];
}

/** Without parentheses around the whole. */
function unwrap(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    depth += text[i] === '(' ? 1 : text[i] === ')' ? -1 : 0;
    if (depth === 0) return text;
  }
  return unwrap(text.slice(1, -1));
}
