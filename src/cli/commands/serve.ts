/**
 * `postern serve`: its options come from the one table; what it starts is in
 * src/sidecar, which is loaded only when it is asked for.
 */
import { type Command, Option } from 'commander';
import { flagsOf, helpOf } from '../../config/describe.ts';
import type { OptionSpec } from '../../config/option-spec.ts';
import { type ServeOptions, serveOptions } from '../../config/options.ts';
import { fileVariable, parseOptions } from '../../config/parse-options.ts';
import { PosternError } from '../../model/errors.ts';
import { addExamples } from '../options.ts';
import { addressVariable, tokenVariable } from '../variables.ts';

type Flags = Readonly<Record<string, unknown>>;

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('Runs the sidecar')
    .option('--config <file>', `read options from this YAML file (${fileVariable})`)
    .action(async (flags: Flags) => {
      const { options, isNamed } = await readOptions(flags);
      const { runServe } = await import('../../sidecar/run.ts');
      // At once: a pipe that nobody reads, or a call that is not answered, would keep the process alive.
      process.exit(await runServe(options, isNamed));
    });
  for (const spec of serveOptions) for (const option of toOptions(spec)) command.addOption(option);
  addExamples(command, [
    ['postern serve --policy policy.yaml', 'a policy file, followed as it is edited'],
    ['postern serve --redis redis://localhost --tenant acme', 'a graph in Redis, followed by push'],
    ['postern serve --policy policy.yaml --socket /run/postern.sock', 'the fastest way for neighbours'],
    ['postern serve --config postern.yaml --log-level debug', 'flags count before the file'],
  ]);
}

function toOptions(spec: OptionSpec): readonly Option[] {
  return flagsOf(spec).map((flags, i) => {
    const option = new Option(flags, i === 0 ? helpOf(spec) : 'the opposite');
    if (spec.kind !== 'list') return option;
    return option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
  });
}

/** @throws PosternError INVALID_OPTION, with every problem of every source */
async function readOptions(flags: Flags): Promise<{ options: ServeOptions; isNamed: boolean }> {
  const [{ suggest }, { parseRedisUrl }, { createInstanceName }, { contentValidators }] = await Promise.all([
    import('../../policy-file/suggest.ts'),
    import('../../store/redis/target.ts'),
    import('../../config/instance-name.ts'),
    import('../../decision-log/content/validators.ts'),
  ]);
  const path = flags.config ?? process.env[fileVariable];
  const file = typeof path === 'string' && path !== '' ? { path, values: await readOptionsFile(path) } : undefined;
  const sources = {
    flags,
    env: process.env,
    ...(file === undefined ? {} : { file }),
    suggest,
    validators: { redis: (url: string) => parseRedisUrl(url, 'it'), ...contentValidators },
    otherVariables: [addressVariable, tokenVariable],
    instance: createInstanceName(),
  };
  const options = parseOptions(sources);
  return { options, isNamed: options.instance !== sources.instance };
}

async function readOptionsFile(path: string): Promise<unknown> {
  const [{ readPolicyText }, { parseYaml }] = await Promise.all([
    import('../../policy-file/load.ts'),
    import('../../policy-file/yaml-tree.ts'),
  ]);
  const read = await readPolicyText(path);
  if (!read.ok) throw new PosternError('INVALID_OPTION', `--config ${path} ${read.problems[0]?.message}`);
  const { data, problems, positionOf } = parseYaml(read.text);
  const [first] = problems;
  if (first === undefined) return data;
  const { line, column } = positionOf(first.offset);
  throw new PosternError('INVALID_OPTION', `${path}:${line}:${column}: ${first.message}`, { field: '--config' });
}
