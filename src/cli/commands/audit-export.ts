/** `postern audit export`: a part of the decision log as a file that can be verified again. */
import { InvalidArgumentError, Option } from 'commander';
import { sinceOption, untilOption } from '../log-options.ts';
import { addSourceOptions, type SourceFlags, toSources } from '../log-sources.ts';
import { addExamples, jsonOption } from '../options.ts';
import type { Subcommands } from '../subcommands.ts';

interface ExportFlags extends SourceFlags {
  readonly out: string;
  readonly since?: number;
  readonly until?: number;
  readonly instance?: string;
  readonly json?: true;
}

export const auditExportExamples = [
  ['postern audit export --since 31d --until 1d --out march.ndjson.gz', 'and march.ndjson.gz.manifest.json'],
  ['postern audit verify --dir march.ndjson.gz', 'again, as strictly as the whole log'],
] as const;

export function addAuditExport(add: Subcommands['add']): void {
  const command = add('export', 'Copies a part of the log, line by line, so that it can be verified again')
    .addOption(
      new Option('--out <file>', 'where to: a name that ends with .ndjson, or .ndjson.gz to compress it')
        .makeOptionMandatory()
        .argParser(parseOut),
    )
    .addOption(sinceOption())
    .addOption(untilOption())
    .option('--instance <name>', 'of this instance only')
    .addOption(jsonOption())
    .action(async (flags: ExportFlags, command) => {
      const { exportLogs } = await import('../audit-export.ts');
      process.exitCode = await exportLogs(toSources(flags, command), flags);
    });
  addExamples(addSourceOptions(command), auditExportExamples);
}

/** Whoever reads logs knows them by their names. */
function parseOut(path: string): string {
  if (/\.ndjson(?:\.gz)?$/.test(path)) return path;
  throw new InvalidArgumentError('It ends neither with .ndjson nor with .ndjson.gz.');
}
