/**
 * `postern apply`: makes a tenant in Redis what a policy file says, in one atomic
 * commit at the revision that the plan was made for.
 */
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { formatRevision } from '../../model/change.ts';
import { PosternError } from '../../model/errors.ts';
import { defaultTenant } from '../../model/names.ts';
import type { Store } from '../../store/store.ts';
import { exitCodes } from '../exit.ts';
import { addExamples, jsonOption, redisOption } from '../options.ts';
import { coloursOf, count, isColoured, note, print, printAll, printJson } from '../output.ts';

interface ApplyOptions {
  readonly redis?: string;
  readonly tenant: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly why?: string;
  readonly json?: true;
}

export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description('Makes a tenant in Redis what a policy file says')
    .argument('<file>', 'the whole policy: what it does not name is removed; "-" reads the standard input')
    .addOption(redisOption('graph'))
    .addOption(new Option('--tenant <name>', 'the tenant').default(defaultTenant))
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .option('--why <text>', 'kept in the history beside the change')
    .addOption(jsonOption())
    .action(runApply);
  addExamples(command, [
    ['postern apply policy.yaml --redis redis://localhost', 'shows the plan, asks, commits'],
    ['postern apply policy.yaml --redis redis://localhost --dry-run', 'shows the plan'],
    ['postern apply policy.yaml --yes --why "release 7"', 'in CI, with POSTERN_REDIS set'],
  ]);
}

async function runApply(file: string, options: ApplyOptions) {
  const [{ loadPolicy }, { withStore }] = await Promise.all([import('../policy.ts'), import('../graph-source.ts')]);
  // The file first: a policy that is wrong is told without a Redis.
  const { records } = await loadPolicy(file);
  await withStore(options.redis, async (store) => {
    const { describeRevision, loadTenant } = await import('../graph-source.ts');
    const { formatPlan, planChanges } = await import('../../policy-file/diff-text.ts');
    const { diff } = await import('../../graph/diff.ts');
    const current = await loadTenant(store, options.tenant);
    const plan = planChanges(current.records, records);
    const { lines, added, changed, removed } = plan;
    const result = { tenant: options.tenant, from: formatRevision(current.revision), added, changed, removed, lines };
    if (!options.json) await printAll([`${formatPlan(plan, { colour: isColoured(process.stdout) })}\n`]);
    if (lines.length === 0 || options.dryRun) {
      if (options.json) printJson({ ...result, revision: result.from, applied: false });
      else note(`${current.description} ${describeRevision(current.revision)}; nothing was written`);
      return;
    }
    if (!options.yes && !(await confirm(current.description, current.revision.number))) {
      note('not confirmed; nothing was written');
      process.exitCode = exitCodes.no;
      return;
    }
    const changes = diff(current.records, records);
    const revision = await commitWithProgress(store, changes, current.revision, options);
    if (options.json) printJson({ ...result, revision: formatRevision(revision), applied: true });
    else {
      const { green } = coloursOf(process.stdout);
      print(`${green('applied')} ${count(changes.length, 'change')}: revision ${formatRevision(revision)}`);
    }
  });
}

/** @throws PosternError INVALID_OPTION where there is nobody to ask */
async function confirm(description: string, revisionNumber: number): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const message = 'there is no terminal to ask on; add --yes to commit this plan, or --dry-run to stop after it';
    throw new PosternError('INVALID_OPTION', message, { field: '--yes' });
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const where = `${description}${revisionNumber === 0 ? ', which is empty' : ''}`;
    const answer = await terminal.question(`Commit this to ${where}? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

async function commitWithProgress(
  store: Store,
  changes: Parameters<Store['commit']>[1],
  expected: Awaited<ReturnType<Store['load']>>,
  { tenant, why }: ApplyOptions,
) {
  const { startProgress } = await import('../progress.ts');
  const progress = startProgress('committing', changes.length);
  try {
    return await store.commit(tenant, changes, {
      expected,
      by: whoAmI(),
      ...(why === undefined ? {} : { why }),
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
  }
}

function whoAmI(): string {
  try {
    return `${userInfo().username} (postern apply)`;
  } catch {
    return 'postern apply'; // A container's user may have no name.
  }
}
