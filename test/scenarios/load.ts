/** Reads the scenario files beside it, and counts what their steps are. Called by conformance/scenarios.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { type ScenarioFile, type Step, scenarioFileSchema } from './format.ts';

export const folder = import.meta.dirname;

/** @throws Error naming the file and the places that are wrong */
export function loadScenarioFiles(): readonly ScenarioFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const result = scenarioFileSchema.safeParse(parse(readFileSync(join(folder, name), 'utf8')));
      if (!result.success) throw new Error(`${name}: ${z.prettifyError(result.error)}`);
      return result.data;
    });
}

/**
 * Steps that assert, by what they are: those with `differs` apart from the other `encoded` ones. Preparation counts
 * for nothing, `checks` for as many as it holds.
 */
export function countSteps({ scenarios }: ScenarioFile): ScenarioFile['expect'] {
  const counts = { encoded: 0, outside: 0, differs: 0 };
  for (const step of scenarios.flatMap(({ steps }) => steps)) counts[kindOf(step)] += sizeOf(step);
  return counts;
}

function kindOf(step: Step): keyof ScenarioFile['expect'] {
  if (step.outside !== undefined) return 'outside';
  return step.differs === undefined ? 'encoded' : 'differs';
}

function sizeOf({ commit, time, checks, times }: Step): number {
  if (time !== undefined || (commit !== undefined && commit.expect === undefined)) return 0;
  return checks?.length ?? times ?? 1;
}
