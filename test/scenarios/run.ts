/** Runs one scenario from its policy through its steps. Called by conformance/scenarios.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { ask, askBatch, askWhy, listActions, listObjects, listSubjects } from './ask.ts';
import { toChanges } from './changes.ts';
import type { Scenario, Step, StepOf } from './format.ts';
import { folder } from './load.ts';
import { read } from './read.ts';
import { createWorld, identityOf, outcomeOf, readOf, type World } from './world.ts';

const defaultNow = '2026-06-01T00:00:00Z';

/** @throws Error naming the step (from 1) that is not as expected, and what was answered */
export async function runScenario(scenario: Scenario): Promise<void> {
  const name = scenario.policy_file ?? `the policy of ${scenario.id}`;
  const text = scenario.policy ?? readFileSync(join(folder, name), 'utf8');
  const policy = parsePolicy(text, name);
  if (!policy.ok) throw new Error(policy.problems.map(({ line, message }) => `${name}:${line}: ${message}`).join('\n'));
  const { kinds } = scenario;
  const records = policy.records.filter(({ kind }) => kinds?.includes(kind) !== false);
  const world = await createWorld(records, Date.parse(scenario.now ?? defaultNow));
  try {
    for (const [i, step] of scenario.steps.entries()) {
      try {
        await runStep(world, step);
      } catch (error) {
        const { differs: _differs, note: _note, ...asked } = step;
        const told = error instanceof Error ? error.message : String(error);
        throw new Error(`step ${i + 1} ${JSON.stringify(asked)}: ${told}`, { cause: error });
      }
    }
  } finally {
    await world.close();
  }
}

async function runStep(world: World, step: Step): Promise<void> {
  if (step.outside !== undefined || (await read(world, step))) return;
  if (step.time !== undefined) world.setTime(Date.parse(step.time));
  else if (step.commit !== undefined) await commit(world, step.commit);
  else if (step.create_tenant !== undefined) await createTenant(world, step.create_tenant);
  else if (step.check !== undefined) await ask(world.view(), step.check);
  else if (step.batch !== undefined) askBatch(world.view(), step.batch);
  else if (step.explain !== undefined) askWhy(world.view(), step.explain);
  else if (step.objects !== undefined) await listObjects(world.view(), step.objects);
  else if (step.subjects !== undefined) await listSubjects(world.view(), step.subjects);
  else if (step.actions !== undefined) await listActions(world.view(), step.actions);
  else for (const check of step.checks ?? []) await ask(world.view(), check);
}

async function commit({ administration }: World, step: StepOf<'commit'>): Promise<void> {
  const { tenant, onBehalfOf } = readOf(step);
  const result = await outcomeOf(() =>
    administration.commit(identityOf(step.as), {
      tenant,
      changes: step.changes.flatMap(toChanges),
      expected: '',
      why: step.why ?? '',
      dryRun: step.dry_run ?? false,
      onBehalfOf,
      allowNoAdministrator: step.allow_no_administrator ?? false,
    }),
  );
  const [outcome, message] = result instanceof PosternError ? [result.code, result.message] : ['ok', ''];
  expect(outcome, message).toBe(step.expect ?? 'ok');
  for (const text of step.message ?? []) expect(message).toContain(text);
  if (step.widens !== undefined && !(result instanceof PosternError)) {
    expect(
      result.changes.some(({ widens }) => widens),
      JSON.stringify(result.changes),
    ).toBe(step.widens);
  }
}

async function createTenant({ administration }: World, step: StepOf<'create_tenant'>): Promise<void> {
  const changes = toChanges({ apply: step.apply });
  const result = await outcomeOf(() =>
    administration.createTenant(identityOf(step.as), { tenant: step.tenant, changes, why: '', dryRun: false }),
  );
  expect(result instanceof PosternError ? result.code : 'ok').toBe(step.expect);
}
