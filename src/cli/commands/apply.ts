/**
 * `postern apply`: makes a tenant in Redis what a policy file says, in one atomic
 * commit at the revision that the plan was made for.
 */
import type { Command } from 'commander';
import { addExamples } from '../options.ts';
import { addReplaceOptions, type ReplaceOptions, replaceGraph } from '../replace-graph.ts';

export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description('Makes a tenant in Redis what a policy file says')
    .argument('<file>', 'the whole policy: what it does not name is removed; "-" reads the standard input')
    .action(runApply);
  addExamples(addReplaceOptions(command), [
    ['postern apply policy.yaml --redis redis://localhost', 'shows the plan, asks, commits'],
    ['postern apply policy.yaml --redis redis://localhost --dry-run', 'shows the plan'],
    ['postern apply policy.yaml --yes --why "release 7"', 'in CI, with POSTERN_REDIS set'],
  ]);
}

async function runApply(file: string, options: ReplaceOptions) {
  const { loadPolicy } = await import('../policy.ts');
  // The file first: a policy that is wrong is told without a Redis.
  const { records } = await loadPolicy(file);
  await replaceGraph(options, () => records, 'postern apply');
}
