/**
 * `postern import`: another system's rules as a policy file, and a report of what
 * would change for whom. It writes no graph anywhere: `postern apply` does that.
 */
import { type Command, Option } from 'commander';
import type { Source } from '../../import/importer.ts';
import { PosternError } from '../../model/errors.ts';
import { exitCodes } from '../exit.ts';
import { type ImportSource, importSources, type SourceOption } from '../import-sources.ts';
import { addExamples, jsonOption } from '../options.ts';
import { count, note, print, printAll } from '../output.ts';

interface ImportOptions {
  readonly output?: string;
  readonly dryRun?: true;
  readonly json?: true;
  /** Options of sources, by attribute name. */
  readonly [option: string]: unknown;
}

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description("Makes a policy of another system's rules, and says what would change")
    .argument('<source>', `the system: ${importSources.map(({ name }) => name).join(', ')}`)
    .argument('<file...>', 'what it exports; "-" reads the standard input')
    .option('-o, --output <file>', 'write the policy to this file instead of the standard output')
    .option('--dry-run', 'print the report and no policy')
    .addOption(jsonOption())
    .action(runImport);
  for (const { name, options } of importSources)
    for (const option of options) command.addOption(toOption(name, option));
  const width = Math.max(...importSources.map(({ name }) => name.length));
  const lines = importSources.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`);
  command.addHelpText('after', `\nSources:\n${lines.join('\n')}`);
  addExamples(command, [
    ['postern import guardian dump.json --roles roles.json --dry-run', 'what would change, subject by subject'],
    ['postern import guardian dump.json --roles roles.json -o policy.yaml', 'exit code 0: every answer is the same'],
    ['postern import casbin model.conf policy.csv > policy.yaml', 'the report is on stderr'],
  ]);
}

function toOption(source: string, { flags, description, choices, isList }: SourceOption): Option {
  const option = new Option(flags, `${source}: ${description}`);
  if (isList) option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
  return choices === undefined ? option : option.choices(choices);
}

async function runImport(name: string, files: readonly string[], options: ImportOptions) {
  const source = findSource(name);
  refuseOthersOptions(source, options);
  const [run, { compare, isSame }, report, { formatPolicy }] = await Promise.all([
    source.load(),
    import('../../import/compare.ts'),
    import('../../import/report.ts'),
    import('../../policy-file/print.ts'),
  ]);
  const sources: Source[] = [];
  for (const file of files) sources.push(await readSource(file));
  const imported = run(sources, await withFiles(source, options));
  const policy = formatPolicy(imported.records);
  const { records } = await readBack(policy);
  // What is compared is what is written, and not what was meant to be.
  const comparison = compare({ ...imported, records }, Date.now());
  const text = options.json ? JSON.stringify(report.toReportJson(comparison)) : report.formatReport(comparison);
  const isPolicyPrinted = !options.dryRun && (options.output === undefined || options.output === '-');
  if (!options.dryRun) {
    if (isPolicyPrinted) await printAll([policy]);
    else await (await import('../write-file.ts')).writeWhole(options.output as string, [policy]);
  }
  (isPolicyPrinted ? note : print)(text);
  process.exitCode = isSame(comparison) ? exitCodes.ok : exitCodes.no;
}

/** @throws PosternError INVALID_OPTION */
function findSource(name: string): ImportSource {
  const source = importSources.find((one) => one.name === name);
  if (source !== undefined) return source;
  const known = importSources.map((one) => one.name).join(', ');
  throw new PosternError('INVALID_OPTION', `there is no source "${name}"; there are ${known}`, { field: 'source' });
}

/** An option that means nothing for a source was meant for something. @throws PosternError INVALID_OPTION */
function refuseOthersOptions(source: ImportSource, options: ImportOptions): void {
  const own = new Set(source.options.map(attributeOf));
  for (const { name, options: others } of importSources) {
    for (const option of others) {
      const attribute = attributeOf(option);
      if (own.has(attribute) || options[attribute] === undefined) continue;
      const flag = option.flags.split(' ')[0] as string;
      throw new PosternError('INVALID_OPTION', `${flag} is an option of ${name}, not of ${source.name}`, {
        field: flag,
      });
    }
  }
}

async function withFiles(source: ImportSource, options: ImportOptions) {
  const values: Record<string, unknown> = {};
  for (const option of source.options) {
    const attribute = attributeOf(option);
    const value = options[attribute];
    if (value !== undefined) values[attribute] = option.isFile ? await readSource(value as string) : value;
  }
  return values;
}

function attributeOf({ flags }: SourceOption): string {
  return new Option(flags).attributeName();
}

/** @throws PosternError INVALID_REQUEST where a file cannot be read */
async function readSource(name: string): Promise<Source> {
  if (name === '-') return { name, text: await (await import('node:stream/consumers')).text(process.stdin) };
  const { readPolicyText } = await import('../../policy-file/load.ts');
  const read = await readPolicyText(name);
  if (read.ok) return { name, text: read.text };
  const problem = read.problems[0]?.message ?? 'cannot be read';
  throw new PosternError('INVALID_REQUEST', `${name} ${problem}`, { field: name });
}

/** @throws PosternError INVALID_POLICY where the old names and rules make no valid policy */
async function readBack(policy: string) {
  const [{ parsePolicy }, { formatProblems }] = await Promise.all([
    import('../../policy-file/parse.ts'),
    import('../../policy-file/format-problems.ts'),
  ]);
  const result = parsePolicy(policy, 'the imported policy');
  if (result.ok) return result;
  const problems = count(result.problems.length + result.omitted, 'problem');
  const message = `${problems} in the policy that the import would give; nothing was written\n${formatProblems(result, { colour: false })}`;
  throw new PosternError('INVALID_POLICY', message);
}
