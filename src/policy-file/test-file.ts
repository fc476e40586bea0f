/**
 * Policy tests (`*.test.yaml`) to data: every question that is asserted, with the place to name when it fails.
 * Called by `postern test`, which asks them; nothing is evaluated here.
 */
import type { Attributes } from '../model/condition.ts';
import { maxActiveRoles, maxAssertedGroups } from '../model/limits.ts';
import {
  isType,
  problemOfAction,
  problemOfObject,
  problemOfRoleName,
  problemOfSubject,
  quote,
} from '../model/names.ts';
import type { Query, Reason } from '../model/query.ts';
import { type Finding, type ParsedDocument, parseDocumentOf } from './document.ts';
import { parseInstant } from './instant.ts';
import { readPolicyText } from './load.ts';
import type { Path, Rejected } from './problem.ts';
import { type PolicyTestFile, type PolicyTestQuestion, policyTestSchema } from './test-schema.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One question with the answer that is asserted. */
export interface CheckAssertion {
  readonly kind: 'check';
  readonly at: Position;
  readonly query: Query;
  readonly allowed: boolean;
  /** Undefined where any reason will do. */
  readonly reason: Reason | undefined;
}

/** A list that must be complete; order does not matter. The query's part that is listed is empty. */
export interface ListAssertion {
  readonly kind: 'objects' | 'subjects' | 'actions';
  readonly at: Position;
  readonly query: Query;
  /** The type of what is listed; empty lists every type. */
  readonly type: string;
  readonly expect: readonly string[];
  /** Whole scopes (objects) or wildcards (subjects); undefined where they are not asserted. */
  readonly wide: readonly string[] | undefined;
}

export type Assertion = CheckAssertion | ListAssertion;

export interface PolicyTest {
  readonly name: string;
  readonly at: Position;
  readonly assertions: readonly Assertion[];
}

export interface PolicyTestSuite {
  readonly ok: true;
  readonly file: string;
  /** The policy's path as written: relative to the directory of `file`. */
  readonly policy: string;
  /** Milliseconds since 1970, or undefined for the time of the run. */
  readonly now: number | undefined;
  readonly tests: readonly PolicyTest[];
}

/** Questions that the lists of one file may multiply to. */
const maxAssertions = 100_000;

/** Reads and parses a test file. */
export async function loadTestFile(path: string): Promise<PolicyTestSuite | Rejected> {
  const read = await readPolicyText(path);
  return read.ok ? parseTestFile(read.text, path) : read;
}

export function parseTestFile(text: string, file: string): PolicyTestSuite | Rejected {
  const document = parseDocumentOf(policyTestSchema, text, file);
  if (!document.ok) return document;
  const { policy, now, tests } = document.data;
  const reader = createReader(document);
  const read = tests.map((test, i): PolicyTest => reader.readTest(test, ['tests', i]));
  if (reader.findings.length > 0) return document.reject(reader.findings);
  return { ok: true, file, policy, now: now === undefined ? undefined : parseInstant(now), tests: read };
}

type FileTest = PolicyTestFile['tests'][number];
type Context = {
  readonly reach?: 'exact' | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly active_roles?: readonly string[] | undefined;
  readonly attributes?: Attributes | undefined;
};

function createReader({ positionOf }: ParsedDocument<PolicyTestFile>) {
  const findings: Finding[] = [];
  let count = 0;

  const at = (path: Path) => positionOf({ path, part: 'value' });
  const report = (path: Path, message: string) => findings.push({ path, part: 'value', message });

  function readTest(test: FileTest, path: Path): PolicyTest {
    const assertions = [
      ...eachOf(test.allowed, [...path, 'allowed'], (question, p) => readChecks(question, true, p)),
      ...eachOf(test.denied, [...path, 'denied'], (question, p) => readChecks(question, false, p)),
      ...eachOf(test.objects, [...path, 'objects'], (item, p) => [
        readList('objects', { ...item, object: undefined }, p, item.type, item.expect, item.scopes),
      ]),
      ...eachOf(test.subjects, [...path, 'subjects'], (item, p) => [
        readList('subjects', item, p, item.type ?? '', item.expect, item.wildcards),
      ]),
      ...eachOf(test.actions, [...path, 'actions'], (item, p) => [
        readList('actions', item, p, '', item.expect, undefined),
      ]),
    ];
    const { allowed, denied, objects, subjects, actions } = test;
    if (![allowed, denied, objects, subjects, actions].some((list) => list?.length))
      report(path, `test ${quote(test.name)} asserts nothing`);
    return { name: test.name, at: at(path), assertions };
  }

  function readChecks(question: PolicyTestQuestion, allowed: boolean, path: Path): CheckAssertion[] {
    const subjects = toList(question.subject, [...path, 'subject'], 'subject', problemOfSubject);
    const actions = toList(question.action, [...path, 'action'], 'action', problemOfAction);
    const objects = toList(question.object ?? '', [...path, 'object'], 'object', problemOfTarget(question.object));
    const context = readContext(question, path, question.object !== undefined);
    count += subjects.length * actions.length * objects.length;
    if (count > maxAssertions) {
      if (findings.length === 0)
        report(path, `the lists of this file multiply to more than ${maxAssertions} questions`);
      return [];
    }
    const position = at(path);
    const reason = question.reason as Reason | undefined;
    return subjects.flatMap((subject) =>
      actions.flatMap((action) =>
        objects.map((object): CheckAssertion => {
          return { kind: 'check', at: position, query: { subject, action, object, ...context }, allowed, reason };
        }),
      ),
    );
  }

  function readList(
    kind: ListAssertion['kind'],
    item: Context & { subject?: string | undefined; action?: string | undefined; object?: string | undefined },
    path: Path,
    type: string,
    expect: readonly string[],
    wide: readonly string[] | undefined,
  ): ListAssertion {
    const { subject, action, object } = item;
    if (subject !== undefined) toList(subject, [...path, 'subject'], 'subject', problemOfSubject);
    if (action !== undefined) toList(action, [...path, 'action'], 'action', problemOfAction);
    if (object !== undefined) toList(object, [...path, 'object'], 'object', problemOfObject);
    if (type !== '' && !isType(type)) report([...path, 'type'], `type ${quote(type)} is not legal`);
    const context = readContext(item, path, kind === 'objects' || object !== undefined);
    const query = { subject: subject ?? '', action: action ?? '', object: object ?? '', ...context };
    return { kind, at: at(path), query, type, expect, wide };
  }

  function readContext(context: Context, path: Path, hasObject: boolean) {
    const { reach, groups = [], active_roles: activeRoles, attributes } = context;
    if (reach === 'exact' && !hasObject) report([...path, 'reach'], 'reach: exact needs an object');
    if (groups.length > maxAssertedGroups)
      report([...path, 'groups'], `more than ${maxAssertedGroups} groups are asserted`);
    toList(groups, [...path, 'groups'], 'group', problemOfGroup);
    if (activeRoles !== undefined) {
      if (activeRoles.length > maxActiveRoles)
        report([...path, 'active_roles'], `more than ${maxActiveRoles} roles are active`);
      toList(activeRoles, [...path, 'active_roles'], 'role', problemOfRoleName);
    }
    return { reach: reach ?? ('inherited' as const), assertedGroups: groups, activeRoles, attributes };
  }

  function toList(
    value: string | readonly string[],
    path: Path,
    what: string,
    problemOf: (text: string) => string | undefined,
  ): readonly string[] {
    const isList = typeof value !== 'string';
    const list = isList ? value : [value];
    list.forEach((text, i) => {
      const problem = problemOf(text);
      if (problem !== undefined) report(isList ? [...path, i] : path, `${what} ${quote(text)} ${problem}`);
    });
    return list;
  }

  return { readTest, findings };
}

/** No object at all is a question about the tenant; an empty one is a mistake. */
function problemOfTarget(written: string | readonly string[] | undefined): (text: string) => string | undefined {
  return written === undefined ? () => undefined : problemOfObject;
}

function problemOfGroup(text: string): string | undefined {
  return text.startsWith('group:') ? problemOfSubject(text) : 'is not a group; write it as "group:<id>"';
}

function eachOf<T>(
  items: readonly T[] | undefined,
  path: Path,
  read: (item: T, path: Path) => Assertion[],
): Assertion[] {
  return (items ?? []).flatMap((item, i) => read(item, [...path, i]));
}
