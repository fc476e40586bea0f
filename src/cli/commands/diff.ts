/** `postern diff`: what leads from one graph to another. */
import type { Command } from 'commander';
import { defaultTenant } from '../../model/names.ts';
import { exitCodes } from '../exit.ts';
import { addExamples, addRedisOptions, jsonOption, type RedisFlags, tenantOption } from '../options.ts';
import { isColoured, printAll, printJson } from '../output.ts';

interface DiffOptions extends RedisFlags {
  readonly tenant: string;
  readonly exitCode?: true;
  readonly json?: true;
}

export function addDiffCommand(program: Command): void {
  const command = program
    .command('diff')
    .description('What changes from one graph to another')
    .argument('<from>', 'a policy file, or redis://host:port')
    .argument('<to>', 'a policy file, or redis://host:port')
    .option('--exit-code', 'exit with 1 where they differ')
    .addOption(tenantOption('the tenant').default(defaultTenant))
    .addOption(jsonOption())
    .action(runDiff);
  addExamples(addRedisOptions(command), [
    ['postern diff redis://localhost policy.yaml', 'what apply would do'],
    ['postern diff old.yaml new.yaml', '+ to add, ~ to change, - to remove'],
    ['postern diff redis://localhost policy.yaml --exit-code', 'in CI: has somebody changed it by hand?'],
  ]);
}

async function runDiff(from: string, to: string, { tenant, exitCode, json, ...redis }: DiffOptions) {
  const [{ readGraph }, { formatPlan, planChanges }] = await Promise.all([
    import('../graph-source.ts'),
    import('../../policy-file/diff-text.ts'),
  ]);
  const before = await readGraph(from, tenant, redis);
  const after = await readGraph(to, tenant, redis);
  const plan = planChanges(before.records, after.records);
  if (json) {
    const { lines, added, changed, removed } = plan;
    printJson({ added, changed, removed, lines });
  } else await printAll([`${formatPlan(plan, { colour: isColoured(process.stdout) })}\n`]);
  process.exitCode = exitCode && plan.lines.length > 0 ? exitCodes.no : exitCodes.ok;
}
