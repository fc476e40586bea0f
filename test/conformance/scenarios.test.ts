/**
 * What other systems do, step by step (scenarios/*.yaml): decisions and administration put to the product as it is
 * served, over a memory store. Each file says how many of its steps are encoded, outside of what Postern is for, or
 * answered otherwise on purpose; none gets lost silently.
 */
import { describe, expect, test } from 'vitest';
import { countSteps, loadScenarioFiles } from '../scenarios/load.ts';
import { runScenario } from '../scenarios/run.ts';

const files = loadScenarioFiles();

describe.each(files)('$system', (file) => {
  test('has as many steps of each kind as it says', () => {
    const counts = countSteps(file);
    const { encoded, outside, differs } = counts;
    console.log(`${file.system}: ${encoded} encoded, ${outside} outside, ${differs} differ`);
    expect(counts).toEqual(file.expect);
  });

  test('tells scenarios apart by their ids', () => {
    const ids = file.scenarios.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  test.each(file.scenarios)('$id: $claim', async (scenario) => {
    await runScenario(scenario);
  });
});
