/** `postern audit query`: what the decision log holds on a question, from several logs at once, each record once. */
import { Option } from 'commander';
import {
  addRecordOptions,
  parseDecisionId,
  type RecordOptions,
  sinceOption,
  toFilter,
  untilOption,
} from '../log-options.ts';
import { addSourceOptions, type SourceFlags, toSources } from '../log-sources.ts';
import { addExamples, jsonOption, parseCount } from '../options.ts';
import type { Subcommands } from '../subcommands.ts';

interface QueryFlags extends SourceFlags, Omit<RecordOptions, 'tenant'> {
  readonly since?: number;
  readonly until?: number;
  readonly id?: string;
  readonly instance?: string;
  readonly limit?: number;
  readonly allKinds?: true;
  readonly json?: true;
}

export const auditQueryExamples = [
  ['postern audit query --subject user:alice --since 30d --until 29d', 'what alice did on a day'],
  ['postern audit query --id 01KBQ3VJ8Z6M1T0W9XQ2E4R5SA --redis redis://localhost --json', 'one decision'],
  ['postern audit query --dir pod-1 --dir pod-2 --denied --limit 20', 'of two logs, in the order of time'],
] as const;

export function addAuditQuery(add: Subcommands['add']): void {
  const command = add('query', 'Searches the log: each record once, in the order of time')
    .addOption(sinceOption())
    .addOption(untilOption())
    .addOption(new Option('--id <id>', 'this decision or change only').argParser(parseDecisionId))
    .option('--instance <name>', 'of this instance only')
    .addOption(new Option('--limit <n>', 'so many of the oldest').argParser(parseCount))
    .option('--all-kinds', 'starts, stops and seals, too');
  addRecordOptions(command)
    .addOption(jsonOption())
    .action(async (flags: QueryFlags, command) => {
      const { queryLogs } = await import('../audit-query.ts');
      const { tenant: _, ...asked } = flags;
      const { since, until, id, instance, allKinds } = flags;
      const sources = toSources(flags, command);
      const filter = {
        ...toFilter(asked),
        ...(sources.tenants === undefined ? {} : { tenant: sources.tenants }),
        ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
        ...(id === undefined ? {} : { id }),
        ...(instance === undefined ? {} : { instance }),
        ...(allKinds === undefined ? {} : { allKinds }),
      };
      process.exitCode = await queryLogs(sources, filter, flags);
    });
  addExamples(addSourceOptions(command), auditQueryExamples);
}
