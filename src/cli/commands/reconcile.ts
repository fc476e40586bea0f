/**
 * `postern reconcile`: brings the roles that a release of some software ships into a tenant in Redis. What users made
 * of their own stays; see graph/reconcile.ts for what goes.
 */
import { type Command, Option } from 'commander';
import type { EntityRecord, RoleRecord } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { addExamples } from '../options.ts';
import { count } from '../output.ts';
import { addReplaceOptions, type ReplaceOptions, replaceGraph } from '../replace-graph.ts';

interface ReconcileOptions extends ReplaceOptions {
  readonly prefix?: readonly string[];
  readonly allSystem?: true;
}

export function addReconcileCommand(program: Command): void {
  const command = program
    .command('reconcile')
    .description('Brings the roles that software ships into a tenant in Redis, at an upgrade')
    .argument('<file>', 'a policy file that holds roles and nothing else; "-" reads the standard input')
    .addOption(
      new Option(
        '--prefix <text>',
        "how the software's own roles begin: of those alone, what is not shipped any more is removed; repeatable",
      )
        .argParser((text: string, before: readonly string[] = []) => [...before, text])
        .conflicts('allSystem'),
    )
    .option('--all-system', "every system role of the tenant is this software's own")
    .action(runReconcile);
  addExamples(addReplaceOptions(command), [
    ['postern reconcile roles.yaml --redis redis://localhost --prefix file.', 'shows the plan, asks, commits'],
    ['postern reconcile roles.yaml --yes --why "release 3.20"', "all system roles are this software's"],
  ]);
}

async function runReconcile(file: string, options: ReconcileOptions) {
  const prefixes = prefixesOf(options);
  const { loadPolicy } = await import('../policy.ts');
  const roles = rolesOf((await loadPolicy(file)).records, file, prefixes);
  const [{ reconcile }, { validate }, { graphOptions }, { suggest }] = await Promise.all([
    import('../../graph/reconcile.ts'),
    import('../../graph/validate.ts'),
    import('../../condition/graph-options.ts'),
    import('../../policy-file/suggest.ts'),
  ]);
  const become = (current: readonly EntityRecord[]) => {
    const records = reconcile(current, { roles, prefixes });
    const { problems, omitted } = validate(records, { ...graphOptions, suggest });
    if (problems.length === 0) return records;
    const lines = problems.map(({ kind, key, message }) => `  ${kind} ${key}: ${message}`);
    const total = count(problems.length + omitted, 'problem');
    throw new PosternError(
      'INVALID_POLICY',
      `${total} with these roles in the tenant; nothing was done\n${lines.join('\n')}`,
    );
  };
  await replaceGraph(options, become, 'postern reconcile');
}

/** Empty for all system roles. @throws PosternError INVALID_OPTION where nobody has said which */
function prefixesOf({ prefix, allSystem }: ReconcileOptions): readonly string[] {
  if (prefix !== undefined || allSystem) return prefix ?? [];
  const message = "which roles are the software's own? name their --prefix, or say --all-system";
  throw new PosternError('INVALID_OPTION', message, { field: '--prefix' });
}

/** @throws PosternError INVALID_POLICY where there is anything else, or a role that is not the software's own */
function rolesOf(records: readonly EntityRecord[], file: string, prefixes: readonly string[]): readonly RoleRecord[] {
  const roles = records.filter((record) => record.kind === 'role');
  const foreign = roles.find(({ name }) => prefixes.length > 0 && !prefixes.some((prefix) => name.startsWith(prefix)));
  if (foreign !== undefined) {
    const message = `${file} holds role ${JSON.stringify(foreign.name)}, which begins with none of ${prefixes.join(', ')}`;
    throw new PosternError('INVALID_POLICY', `${message}; rename it, or add a --prefix`);
  }
  const other = records.find((record) => record.kind !== 'role');
  if (other === undefined && roles.length > 0) return roles;
  const what = other === undefined ? 'holds no roles' : `holds a ${other.kind}, too`;
  throw new PosternError('INVALID_POLICY', `${file} ${what}; write the roles that are shipped, and nothing else`);
}
