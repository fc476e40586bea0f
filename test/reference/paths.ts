/**
 * Walks an explained path step by step over the records, as a person would who
 * does not believe it: every step must be an edge that exists, holds and
 * inherits, and the whole must lead from the subject through the binding to the
 * object.
 */
import { type EntityRecord, entityKey, type RoleRecord } from '../../src/model/entity.ts';
import { anonymous, everyone, typeOf } from '../../src/model/names.ts';
import { formatPermission, parsePermission, parseShortPermission } from '../../src/model/permission.ts';
import type { Query, Verdict } from '../../src/model/query.ts';
import { formatScope, parseScope } from '../../src/model/scope.ts';
import { holds, permissionCovers } from './evaluator.ts';

interface Step {
  readonly from: string;
  readonly to: string;
  readonly asserted: boolean;
}

/** The shape that Explain hands out. */
export interface Path {
  readonly subjectSteps: readonly Step[];
  readonly binding: string;
  readonly effect: 'allow' | 'deny';
  readonly roles: readonly string[];
  readonly permission: string;
  readonly scope: string;
  readonly objectSteps: readonly Step[];
}

/** Everything that is wrong with the path of this verdict, in words; empty when it can be walked. */
export function problemsOfPath(
  records: readonly EntityRecord[],
  query: Query,
  verdict: Verdict,
  path: Path | undefined,
  now: number,
): readonly string[] {
  if (verdict.reason === 'NO_ROLE') return [];
  if (path === undefined) return ['there is no path, although a binding reaches'];
  const binding = records.find((record) => record.kind === 'binding' && entityKey(record) === path.binding);
  if (binding?.kind !== 'binding') return [`there is no binding ${path.binding}`];
  const problems: string[] = [];
  const expect = (holdsTrue: boolean, problem: string) => {
    if (!holdsTrue) problems.push(problem);
  };

  expect(path.binding === verdict.binding, 'the path goes through another binding than the verdict');
  expect(path.effect === (binding.effect ?? 'allow'), `the effect is ${path.effect}`);
  expect(path.scope === formatScope(parseScope(binding.scope)), `the scope is ${path.scope}`);
  expect(holds(binding.expiresAt, now), 'the binding has expired');

  expect(lastOf(path.subjectSteps, query.subject) === binding.subject, 'the subject steps do not end at the binding');
  expect(isChain(path.subjectSteps, query.subject), 'the subject steps are not a chain from the subject');
  for (const step of path.subjectSteps) {
    expect(isSubjectStep(records, query, step, now), `no membership ${JSON.stringify(step)}`);
  }

  expect(isChain(path.objectSteps, query.object), 'the object steps are not a chain from the object');
  for (const step of path.objectSteps) expect(isParent(records, step), `no inheriting edge ${JSON.stringify(step)}`);
  const scope = parseScope(binding.scope);
  if (scope.kind === 'object') {
    expect(lastOf(path.objectSteps, query.object) === scope.object, 'the object steps do not end at the scope');
  } else expect(path.objectSteps.length === 0, 'a scope that is no object needs no object steps');
  if (binding.cascade === false) expect(path.objectSteps.length === 0, 'a binding that does not cascade went up');

  expect(path.roles[0] === binding.role, 'the roles do not begin with the bound one');
  for (const [index, role] of path.roles.slice(1).entries()) {
    const including = roleNamed(records, path.roles[index] as string);
    expect(including?.includes?.includes(role) === true, `${path.roles[index]} does not include ${role}`);
  }
  if (verdict.reason === 'ROLE_LACKS_PERMISSION') expect(path.permission === '', `it has ${path.permission}`);
  else expect(holdsPermission(records, path, query), `the last role does not grant it by ${path.permission}`);
  return problems;
}

function isSubjectStep(records: readonly EntityRecord[], query: Query, step: Step, now: number): boolean {
  if (step.asserted) return step.from === query.subject && query.assertedGroups.includes(step.to);
  if (step.from === query.subject && step.to === everyone) return true;
  if (step.from === query.subject && step.from !== anonymous && step.to === `${typeOf(step.from)}:*`) return true;
  return records.some(
    (edge) =>
      edge.kind === 'member' && edge.member === step.from && edge.group === step.to && holds(edge.expiresAt, now),
  );
}

function isParent(records: readonly EntityRecord[], step: Step): boolean {
  return records.some(
    (record) =>
      record.kind === 'object' &&
      record.object === step.from &&
      record.parents?.some((edge) => edge.object === step.to && edge.inherit !== false) === true,
  );
}

function holdsPermission(records: readonly EntityRecord[], path: Path, query: Query): boolean {
  const role = roleNamed(records, path.roles.at(-1) as string);
  const permissions = (role?.permissions ?? []).flatMap(parsePermission);
  const excepted = (role?.except ?? []).map(parseShortPermission);
  return (
    permissions.some((one) => formatPermission(one) === path.permission && permissionCovers(records, one, query)) &&
    !excepted.some((one) => permissionCovers(records, one, query))
  );
}

function roleNamed(records: readonly EntityRecord[], name: string): RoleRecord | undefined {
  const found = records.find((record) => record.kind === 'role' && record.name === name);
  return found?.kind === 'role' ? found : undefined;
}

function isChain(steps: readonly Step[], start: string): boolean {
  return steps.every((step, index) => step.from === (index === 0 ? start : steps[index - 1]?.to));
}

function lastOf(steps: readonly Step[], start: string): string {
  return steps.at(-1)?.to ?? start;
}
