/**
 * Makes the graph of a tenant in Redis another one: shows the plan, asks, and commits it as one change set at the
 * revision that the plan was made for. Called by apply and reconcile, which say what it should become.
 */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { formatRevision } from '../model/change.ts';
import type { EntityRecord } from '../model/entity.ts';
import { defaultTenant } from '../model/names.ts';
import type { Store } from '../store/store.ts';
import { confirm } from './confirm.ts';
import { exitCodes } from './exit.ts';
import { addRedisOptions, jsonOption, type RedisFlags, tenantOption } from './options.ts';
import { coloursOf, count, isColoured, note, print, printAll, printJson } from './output.ts';

export interface ReplaceOptions extends RedisFlags {
  readonly tenant: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly why?: string;
  readonly allowNoAdministrator?: true;
  readonly json?: true;
}

/** What every command that does this takes. */
export function addReplaceOptions(command: Command): Command {
  return addRedisOptions(command, 'graph')
    .addOption(tenantOption('the tenant').default(defaultTenant))
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .option('--why <text>', 'kept in the history beside the change')
    .option('--allow-no-administrator', 'even where nobody is left who may administer the tenant')
    .addOption(jsonOption());
}

/**
 * @param become What the graph should be, from what it is; throws where that would not be valid.
 * @param command Named in the history beside the user.
 */
export async function replaceGraph(
  options: ReplaceOptions,
  become: (current: readonly EntityRecord[]) => readonly EntityRecord[],
  command: string,
): Promise<void> {
  const { describeRevision, loadTenant, withStore } = await import('./graph-source.ts');
  const { formatPlan, planChanges } = await import('../policy-file/diff-text.ts');
  const { diff } = await import('../graph/diff.ts');
  await withStore(options, async (store) => {
    const current = await loadTenant(store, options.tenant);
    const records = become(current.records);
    const plan = planChanges(current.records, records);
    const { lines, added, changed, removed } = plan;
    const result = { tenant: options.tenant, from: formatRevision(current.revision), added, changed, removed, lines };
    if (!options.json) await printAll([`${formatPlan(plan, { colour: isColoured(process.stdout) })}\n`]);
    if (lines.length === 0 || options.dryRun) {
      if (options.json) printJson({ ...result, revision: result.from, applied: false });
      else note(`${current.description} ${describeRevision(current.revision)}; nothing was written`);
      return;
    }
    if (!options.allowNoAdministrator) await checkStays(current.records, records);
    const where = `${current.description}${current.revision.number === 0 ? ', which is empty' : ''}`;
    if (!options.yes && !(await confirm(`Commit this to ${where}?`))) {
      note('not confirmed; nothing was written');
      process.exitCode = exitCodes.no;
      return;
    }
    const changes = diff(current.records, records);
    const revision = await commitWithProgress(store, changes, current.revision, options, command);
    if (options.json) printJson({ ...result, revision: formatRevision(revision), applied: true });
    else {
      const { green } = coloursOf(process.stdout);
      print(`${green('applied')} ${count(changes.length, 'change')}: revision ${formatRevision(revision)}`);
    }
  });
}

/** @throws PosternError LAST_ADMINISTRATOR, as PolicyService has it */
async function checkStays(before: readonly EntityRecord[], after: readonly EntityRecord[]): Promise<void> {
  const [{ checkAdministrators }, { snapshotOf }] = await Promise.all([
    import('../admin/administrators.ts'),
    import('./snapshot-of.ts'),
  ]);
  const hint = 'where that is meant, add --allow-no-administrator';
  checkAdministrators(snapshotOf(before), snapshotOf(after), Date.now(), hint);
}

async function commitWithProgress(
  store: Store,
  changes: Parameters<Store['commit']>[1],
  expected: Awaited<ReturnType<Store['load']>>,
  { tenant, why }: ReplaceOptions,
  command: string,
) {
  const { startProgress } = await import('./progress.ts');
  const progress = startProgress('committing', changes.length);
  try {
    return await store.commit(tenant, changes, {
      expected,
      by: whoAmI(command),
      ...(why === undefined ? {} : { why }),
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
  }
}

function whoAmI(command: string): string {
  try {
    return `${userInfo().username} (${command})`;
  } catch {
    return command; // A container's user may have no name.
  }
}
