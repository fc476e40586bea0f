/** `postern export`: the graph of a tenant as a policy file, which `postern apply` takes again without a change. */
import type { Command } from 'commander';
import { formatRevision } from '../../model/change.ts';
import { PosternError } from '../../model/errors.ts';
import { defaultTenant } from '../../model/names.ts';
import { addExamples, addRedisOptions, type RedisFlags, tenantOption } from '../options.ts';
import { coloursOf, count, note, printAll } from '../output.ts';
import { writeWhole } from '../write-file.ts';

interface ExportOptions extends RedisFlags {
  readonly tenant: string;
  readonly output?: string;
}

export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description('Prints the graph of a tenant in Redis as a policy file')
    .addOption(tenantOption('the tenant').default(defaultTenant))
    .option('-o, --output <file>', 'write to this file instead of the standard output')
    .action(runExport);
  addExamples(addRedisOptions(command, 'graph'), [
    ['postern export --redis redis://localhost > policy.yaml', ''],
    ['postern export --redis redis://localhost --tenant acme -o acme.yaml', 'replaces the file in one step'],
    ['postern export --redis redis://old | postern apply - --redis redis://new --yes', 'copies a tenant'],
  ]);
}

async function runExport({ tenant, output, ...redis }: ExportOptions) {
  const [{ describeRevision, loadTenant, withStore }, { printPolicy }, { withStamp }] = await Promise.all([
    import('../graph-source.ts'),
    import('../../policy-file/print.ts'),
    import('../policy-stamp.ts'),
  ]);
  const graph = await withStore(redis, async (store) => {
    const loaded = await loadTenant(store, tenant);
    if (loaded.revision.number > 0) return loaded;
    // An empty file for a misspelt tenant would remove everything where it is applied.
    const tenants = await store.tenants();
    const known = tenants.length === 0 ? 'it has no tenant at all' : `it has ${tenants.join(', ')}`;
    throw new PosternError('UNKNOWN_TENANT', `there is no ${loaded.description}; ${known}`, { field: '--tenant' });
  });
  const text = withStamp({ tenant, revision: formatRevision(graph.revision) }, printPolicy(graph.records));
  if (output === undefined || output === '-') await printAll(text);
  else await writeWhole(output, text);
  const { dim } = coloursOf(process.stderr);
  note(dim(`${graph.description} ${describeRevision(graph.revision)}, with ${count(graph.records.length, 'record')}`));
}
