/** `postern validate`: everything that is wrong with policy files, and with test files, placed and explained. */
import type { Command } from 'commander';
import { formatProblems } from '../../policy-file/format-problems.ts';
import type { PolicyProblem } from '../../policy-file/problem.ts';
import { exitCodes } from '../exit.ts';
import { addExamples, jsonOption } from '../options.ts';
import { coloursOf, count, isColoured, print, printJson } from '../output.ts';
import { isTestFile } from '../test-files.ts';

interface FileReport {
  readonly file: string;
  readonly problems: readonly PolicyProblem[];
  readonly omitted: number;
  readonly warnings: readonly PolicyProblem[];
}

export function addValidateCommand(program: Command): void {
  const command = program
    .command('validate')
    .description('Says everything that is wrong with policy files')
    .argument('<file...>', 'policy files; *.test.yaml are validated as tests; "-" reads the standard input')
    .addOption(jsonOption())
    .action(runValidate);
  addExamples(command, [
    ['postern validate policy.yaml', 'exit code 0: valid, 3: not'],
    ['postern validate policies/*.yaml', 'all problems of all files'],
    ['postern validate policy.yaml --json | jq ".files[].problems[]"', ''],
  ]);
}

async function runValidate(files: readonly string[], { json }: { readonly json?: true }) {
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await validateFile(file));
  const problems = sum(reports, (report) => report.problems.length + report.omitted);
  const warnings = sum(reports, (report) => report.warnings.length);
  if (json) printJson({ valid: problems === 0, problems, warnings, files: reports });
  else printReports(reports, problems, warnings);
  process.exitCode = problems === 0 ? exitCodes.ok : exitCodes.refused;
}

async function validateFile(file: string): Promise<FileReport> {
  const result = isTestFile(file)
    ? await (await import('../../policy-file/test-file.ts')).loadTestFile(file)
    : await (await import('../policy.ts')).readPolicy(file);
  if (!result.ok) return { file, problems: result.problems, omitted: result.omitted, warnings: [] };
  return { file, problems: [], omitted: 0, warnings: 'warnings' in result ? result.warnings : [] };
}

function printReports(reports: readonly FileReport[], problems: number, warnings: number): void {
  const colour = isColoured(process.stdout);
  const colours = coloursOf(process.stdout);
  for (const report of reports) {
    if (report.problems.length > 0) print(formatProblems(report, { colour }));
    if (report.warnings.length > 0) {
      print(formatProblems({ problems: report.warnings, omitted: 0 }, { colour, label: 'warning' }));
    }
  }
  const warned = warnings === 0 ? '' : `, ${count(warnings, 'warning')}`;
  const invalid = reports.filter((report) => report.problems.length > 0).length;
  if (problems === 0) print(`${colours.green('valid')}: ${count(reports.length, 'file')}${warned}`);
  else
    print(
      `${colours.red('invalid')}: ${count(problems, 'problem')} in ${invalid} of ${count(reports.length, 'file')}${warned}`,
    );
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
