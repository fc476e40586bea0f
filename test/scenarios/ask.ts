/** Steps that ask the PDP. Called by run.ts; what is not as expected is thrown by expect, with what was answered. */
import { expect } from 'vitest';
import { finish } from '../../src/engine/steps.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Query } from '../../src/model/query.ts';
import type { View } from '../../src/pdp/view.ts';
import { answerBatch } from '../../src/server/decision/answers.ts';
import { expectList } from './expect-list.ts';
import type { StepOf, WrittenContext, WrittenQuestion } from './format.ts';
import { call, outcomeOf } from './world.ts';

const everything = { size: 0, token: '' };

export async function ask(view: View, check: StepOf<'check'>): Promise<void> {
  for (const subject of listOf(check.subject)) {
    for (const action of listOf(check.action)) {
      for (const object of listOf(check.object ?? '')) await askOne(view, { ...check, subject, action, object }, check);
    }
  }
}

async function askOne(
  view: View,
  question: WrittenQuestion,
  { expect: expected, reason }: StepOf<'check'>,
): Promise<void> {
  const query = toQuery(question);
  const asked = `${query.subject} ${query.action} ${query.object}`;
  const explained = await outcomeOf(() => view.explain(query, call));
  if (explained instanceof PosternError) {
    expect(explained.code, `${asked}: ${explained.message}`).toBe(expected);
    return;
  }
  const { decision, summary } = explained;
  expect(decision.enforcedAllowed ? 'allowed' : 'denied', summary).toBe(expected);
  if (reason !== undefined) expect(decision.reason, summary).toBe(reason);
  expect(view.check(query, call), 'Check disagrees with Explain').toEqual({
    ...decision,
    decisionId: expect.any(String),
  });
}

export function askBatch(view: View, { mode, checks, expect: expected }: StepOf<'batch'>): void {
  const queries = checks.map(toQuery);
  const answer = finish(
    answerBatch(view, { tenant: '', atLeast: '', queries, mode: mode === 'all_of' ? 'all-of' : 'any-of' }, call),
  );
  const each = queries.map((query) => view.explain(query, call).summary).join(' ');
  expect(answer.allowed ? 'allowed' : 'denied', each).toBe(expected);
}

export function askWhy(view: View, { contains, ...question }: StepOf<'explain'>): void {
  const { summary } = view.explain(toQuery(question), call);
  for (const text of contains) expect(summary).toContain(text);
}

export async function listObjects(view: View, step: StepOf<'objects'>): Promise<void> {
  const query = toQuery({ ...step, object: '' });
  let scopes: readonly string[] = [];
  await expectList(step, () => {
    const list = finish(view.listObjects(query, step.type, everything, call));
    scopes = list.scopes;
    const found: string[] = [];
    for (let next = list.parts.next(); next.done !== true; next = list.parts.next()) found.push(...(next.value ?? []));
    return found;
  });
  if (step.scopes !== undefined) expect(scopes.toSorted()).toEqual(step.scopes.toSorted());
}

export async function listSubjects(view: View, step: StepOf<'subjects'>): Promise<void> {
  const { action, object = '', reach = 'inherited', attributes } = step;
  let wildcards: readonly string[] = [];
  await expectList(step, () => {
    const list = finish(
      view.listSubjects(
        { action, object, reach, attributes: attributes as Query['attributes'] },
        step.type ?? '',
        everything,
        call,
      ),
    );
    wildcards = list.wildcards;
    return list.subjects;
  });
  if (step.wildcards !== undefined) expect(wildcards.toSorted()).toEqual(step.wildcards.toSorted());
}

export async function listActions(view: View, step: StepOf<'actions'>): Promise<void> {
  await expectList(step, () => finish(view.listActions(toQuery({ ...step, action: '' }), call)).actions);
}

function toQuery({ subject, action, object = '', ...context }: WrittenQuestion): Query {
  const { reach = 'inherited', groups = [], active_roles, attributes }: WrittenContext = context;
  return {
    subject,
    action,
    object,
    reach,
    assertedGroups: groups,
    ...(active_roles === undefined ? {} : { activeRoles: active_roles }),
    ...(attributes === undefined ? {} : { attributes: attributes as NonNullable<Query['attributes']> }),
  };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}
