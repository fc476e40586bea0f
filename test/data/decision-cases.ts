/**
 * Reads the decision cases: YAML files of documents, each one policy (as in a
 * policy file) and its assertions (as in a policy test file, and where it
 * matters `binding`, the deciding binding's key). A key that is not known is an
 * error, so that no assertion is lost to a typing mistake.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { Attributes } from '../../src/model/condition.ts';
import type { Query, Reach } from '../../src/model/query.ts';
import type { WrittenPolicy } from './policy-records.ts';

/** One question and what is expected of its answer; absent members are not asserted. */
export interface ExpectedCheck {
  readonly query: Query;
  readonly allowed: boolean;
  readonly reason?: string;
  /** A key as of bindingKey, or empty. */
  readonly binding?: string;
}

export interface ExpectedList {
  readonly subject: string;
  readonly action: string;
  readonly object: string;
  readonly type: string;
  readonly reach: Reach;
  readonly assertedGroups: readonly string[];
  readonly activeRoles?: readonly string[] | undefined;
  readonly attributes?: Attributes | undefined;
  /** Complete and sorted. */
  readonly expected: readonly string[];
  /** What the list names besides: scopes, wildcards or patterns. */
  readonly extras: readonly string[] | undefined;
}

export interface DecisionCase {
  readonly name: string;
  readonly checks: readonly ExpectedCheck[];
  readonly objects: readonly ExpectedList[];
  readonly subjects: readonly ExpectedList[];
  readonly actions: readonly ExpectedList[];
}

export interface CaseDocument {
  readonly file: string;
  readonly title: string;
  readonly policy: WrittenPolicy;
  /** Set where the policy is one that a validator refuses. */
  readonly unchecked: boolean;
  /** Milliseconds since 1970 at which everything is asked. */
  readonly now: number;
  readonly cases: readonly DecisionCase[];
}

type Written = Readonly<Record<string, unknown>>;

const defaultNow = Date.parse('2026-06-01T00:00:00Z');

/** Every document of every YAML file in the folder, by file name. */
export function loadDecisionCases(folder: URL): readonly CaseDocument[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.sort().flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, folder), 'utf8'), { uniqueKeys: true }).map((document) => {
      const [problem] = [...document.errors, ...document.warnings];
      if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
      return toDocument(file, document.toJS() as Written);
    }),
  );
}

function toDocument(file: string, written: Written): CaseDocument {
  const title = String(written.title);
  allow(written, ['title', 'policy', 'unchecked', 'now', 'tests'], `${file}: ${title}`);
  return {
    file,
    title,
    policy: written.policy as WrittenPolicy,
    unchecked: written.unchecked === true,
    now: written.now === undefined ? defaultNow : Date.parse(String(written.now)),
    cases: (written.tests as Written[]).map((test) => toCase(test, `${file}: ${title}`)),
  };
}

function toCase(test: Written, where: string): DecisionCase {
  allow(test, ['name', 'allowed', 'denied', 'objects', 'subjects', 'actions'], where);
  const entries = (key: string) => (test[key] ?? []) as readonly Written[];
  return {
    name: String(test.name),
    checks: [
      ...entries('allowed').flatMap((entry) => toChecks(entry, true, where)),
      ...entries('denied').flatMap((entry) => toChecks(entry, false, where)),
    ],
    objects: entries('objects').map((entry) =>
      toList(entry, ['subject', 'action', 'type', 'groups', 'active_roles', 'attributes'], 'scopes', where),
    ),
    subjects: entries('subjects').map((entry) =>
      toList(entry, ['action', 'object', 'type', 'attributes'], 'wildcards', where),
    ),
    actions: entries('actions').map((entry) =>
      toList(entry, ['subject', 'object', 'groups', 'active_roles', 'attributes'], 'patterns', where),
    ),
  };
}

function toChecks(entry: Written, allowed: boolean, where: string): readonly ExpectedCheck[] {
  const keys = ['subject', 'action', 'object', 'reach', 'groups', 'active_roles', 'attributes', 'reason', 'binding'];
  allow(entry, keys, where);
  const binding = entry.binding as readonly string[] | undefined;
  return each(entry.subject).flatMap((subject) =>
    each(entry.action).flatMap((action) =>
      each(entry.object ?? '').map((object) => ({
        query: { subject, action, object, ...contextOf(entry) },
        allowed,
        ...(entry.reason === undefined ? {} : { reason: String(entry.reason) }),
        ...(binding === undefined ? {} : { binding: binding.length === 0 ? '' : JSON.stringify(binding) }),
      })),
    ),
  );
}

function toList(entry: Written, keys: readonly string[], extras: string, where: string): ExpectedList {
  allow(entry, [...keys, 'reach', 'expect', extras], where);
  const text = (key: string) => String(entry[key] ?? '');
  return {
    subject: text('subject'),
    action: text('action'),
    object: text('object'),
    type: text('type'),
    ...contextOf(entry),
    expected: [...each(entry.expect)].sort(),
    extras: entry[extras] === undefined ? undefined : [...each(entry[extras])].sort(),
  };
}

function contextOf(entry: Written): Pick<Query, 'reach' | 'assertedGroups' | 'activeRoles' | 'attributes'> {
  return {
    reach: entry.reach === 'exact' ? 'exact' : 'inherited',
    assertedGroups: each(entry.groups ?? []),
    activeRoles: entry.active_roles === undefined ? undefined : each(entry.active_roles),
    attributes: entry.attributes as Attributes | undefined,
  };
}

function each(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

function allow(written: Written, keys: readonly string[], where: string): void {
  for (const key of Object.keys(written)) {
    if (!keys.includes(key)) throw new Error(`${where}: key "${key}" is not known; known are ${keys.join(', ')}`);
  }
}
