/**
 * Runs the tests of one file against its policy: asks every question in this
 * process at the file's time, and says what differs, with an explanation. Called
 * by `postern test`; it prints nothing.
 */

import { dirname, resolve } from 'node:path';
import type { JsonObject } from '@bufbuild/protobuf';
import { Reach } from '../gen/postern/v1/decision_pb.ts';
import { loadPolicyFile } from '../policy-file/load.ts';
import type { Rejected } from '../policy-file/problem.ts';
import {
  type Assertion,
  type CheckAssertion,
  type ListAssertion,
  loadTestFile,
  type PolicyTest,
  type Position,
} from '../policy-file/test-file.ts';
import type { Asker } from './asker.ts';
import { nameOfReason } from './describe.ts';
import { createPolicyAsker } from './policy-asker.ts';

export interface FailedAssertion extends Position {
  /** "user:bob delete doc:42: expected allowed, is denied (NO_ROLE)". */
  readonly message: string;
  /** Why the answer is what it is; may be empty. */
  readonly explanation: readonly string[];
}

export interface TestResult {
  readonly name: string;
  readonly line: number;
  readonly assertions: number;
  readonly failures: readonly FailedAssertion[];
  readonly tookMs: number;
}

/** What became of one file: `rejected` where it, or its policy, is invalid. */
export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  readonly rejected: Omit<Rejected, 'ok'> | undefined;
}

/** Elements of a wrong list that are explained. */
const maxExplained = 3;
/** The largest page of ListSubjects. */
const pageSubjects = 10_000;

/** @param runAt The time for files that name none, in milliseconds since 1970. */
export async function runTestFile(file: string, runAt: number): Promise<FileResult> {
  const suite = await loadTestFile(file);
  if (!suite.ok) return { file, tests: [], rejected: suite };
  const policy = await loadPolicyFile(resolve(dirname(file), suite.policy));
  if (!policy.ok) return { file, tests: [], rejected: policy };
  // What is asserted is the policy's meaning: a mode that answers differently does not count.
  const records = policy.records.filter(({ kind }) => kind !== 'settings');
  const asker = createPolicyAsker(records, () => suite.now ?? runAt);
  const tests: TestResult[] = [];
  for (const test of suite.tests) tests.push(await runTest(test, asker));
  return { file, tests, rejected: undefined };
}

async function runTest({ name, at, assertions }: PolicyTest, asker: Asker): Promise<TestResult> {
  const startedAt = performance.now();
  const failures: FailedAssertion[] = [];
  for (const assertion of assertions) {
    const failure = await runAssertion(assertion, asker);
    if (failure !== undefined) failures.push({ ...assertion.at, ...failure });
  }
  return { name, line: at.line, assertions: assertions.length, failures, tookMs: performance.now() - startedAt };
}

type Difference = Pick<FailedAssertion, 'message' | 'explanation'>;

function runAssertion(assertion: Assertion, asker: Asker): Promise<Difference | undefined> {
  return assertion.kind === 'check' ? runCheck(assertion, asker) : runList(assertion, asker);
}

async function runCheck({ query, allowed, reason }: CheckAssertion, asker: Asker): Promise<Difference | undefined> {
  const { decision, summary } = await asker.explain(toQuestion(query));
  if (decision === undefined) throw new Error('the answer holds no decision');
  const found = nameOfReason(decision.reason);
  if (decision.allowed === allowed && (reason === undefined || reason === found)) return undefined;
  const expected = `${allowed ? 'allowed' : 'denied'}${reason === undefined ? '' : ` (${reason})`}`;
  const is = `${decision.allowed ? 'allowed' : 'denied'} (${found})`;
  return { message: `${describe(query)}: expected ${expected}, is ${is}`, explanation: [summary] };
}

async function runList(assertion: ListAssertion, asker: Asker): Promise<Difference | undefined> {
  const { kind, query, expect, wide } = assertion;
  const found = await ask(assertion, asker);
  const missing = without(expect, found.elements);
  const unexpected = without(found.elements, expect);
  const parts = [...wrong('misses', missing), ...wrong('has also', unexpected)];
  if (wide !== undefined) {
    const word = kind === 'subjects' ? 'wildcards' : 'scopes';
    parts.push(...wrong(`misses ${word}`, without(wide, found.wide)));
    parts.push(...wrong(`has also ${word}`, without(found.wide, wide)));
  }
  if (parts.length === 0) return undefined;
  const explanation: string[] = [];
  for (const element of [...missing, ...unexpected].slice(0, maxExplained)) {
    explanation.push(await explainElement(assertion, element, asker));
  }
  return { message: `${kind} of ${describe(query)}: ${parts.join('; ')}`, explanation };
}

async function ask({ kind, query, type }: ListAssertion, asker: Asker) {
  const elements: string[] = [];
  const wide: string[] = [];
  const question = toQuestion(query);
  if (kind === 'actions') elements.push(...(await asker.listActions(question)).actions);
  else if (kind === 'objects') {
    for await (const part of asker.listObjects({ ...question, type })) {
      for (const object of part.objects) elements.push(object);
      wide.push(...part.scopes);
    }
  } else {
    let pageToken = '';
    do {
      const page = await asker.listSubjects({ ...question, type, pageSize: pageSubjects, pageToken });
      for (const subject of page.subjects) elements.push(subject);
      if (pageToken === '') wide.push(...page.wildcards);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }
  return { elements, wide };
}

/** The listed element, asked about by itself: lists and checks always agree. */
async function explainElement({ kind, query }: ListAssertion, element: string, asker: Asker): Promise<string> {
  const part = kind === 'objects' ? 'object' : kind === 'subjects' ? 'subject' : 'action';
  try {
    return (await asker.explain(toQuestion({ ...query, [part]: element }))).summary;
  } catch (error) {
    return `${element} cannot be asked about: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function toQuestion(query: CheckAssertion['query']) {
  const { subject, action, object, reach, assertedGroups, activeRoles = [], attributes } = query;
  const context = {
    assertedGroups: [...assertedGroups],
    activeRoles: [...activeRoles],
    ...(attributes === undefined ? {} : { attributes: attributes as JsonObject }),
  };
  return { subject, action, object, reach: reach === 'exact' ? Reach.EXACT : Reach.INHERITED, context };
}

function describe(query: CheckAssertion['query']): string {
  const { subject, action, object, reach, assertedGroups, activeRoles = [] } = query;
  const words = [subject, action, object].filter((word) => word !== '');
  if (reach === 'exact') words.push('(reach exact)');
  if (assertedGroups.length > 0) words.push(`(with ${assertedGroups.join(', ')})`);
  if (activeRoles.length > 0) words.push(`(active: ${activeRoles.join(', ')})`);
  return words.join(' ');
}

function without(list: readonly string[], other: readonly string[]): readonly string[] {
  const known = new Set(other);
  return list.filter((element) => !known.has(element));
}

function wrong(what: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${what} ${elements.join(', ')}`];
}
