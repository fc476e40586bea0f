/** `postern test`: runs the assertions beside policies, and prints like a test runner. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { messageOf, PosternError } from '../../model/errors.ts';
import { exitCodes } from '../exit.ts';
import { addExamples, jsonOption } from '../options.ts';
import { coloursOf, count, isColoured, print, printJson, visible } from '../output.ts';
import type { FileResult, TestResult } from '../policy-tests.ts';
import { findTestFiles } from '../test-files.ts';

interface TestOptions {
  readonly json?: true;
  readonly junit?: string;
}

interface Totals {
  readonly files: number;
  readonly passed: number;
  readonly failed: number;
  readonly assertions: number;
  /** Files that could not be run. */
  readonly invalid: number;
}

export function addTestCommand(program: Command): void {
  const command = program
    .command('test')
    .description('Runs policy tests: *.test.yaml')
    .argument('[path...]', 'test files, and directories to look for them in; left out, the current directory')
    .option('--junit <file>', 'write a JUnit report, too')
    .addOption(jsonOption())
    .action(runTests);
  addExamples(command, [
    ['postern test', 'all *.test.yaml below the current directory'],
    ['postern test policies/shop.test.yaml', 'exit code 0: passed, 1: failed, 3: a file is invalid'],
    ['postern test --junit report.xml', 'for CI'],
  ]);
}

async function runTests(paths: readonly string[], options: TestOptions) {
  const asked = paths.length === 0 ? ['.'] : paths;
  const files = await findTestFiles(asked);
  if (files.length === 0) {
    const message = `no *.test.yaml in ${asked.join(', ')}; name a test file, or write one beside the policy`;
    throw new PosternError('INVALID_OPTION', message);
  }
  const { runTestFile } = await import('../policy-tests.ts');
  const startedAt = Date.now();
  const results: FileResult[] = [];
  for (const file of files) {
    const result = await runTestFile(file, startedAt);
    if (!options.json) await printFile(result);
    results.push(result);
  }
  const totals = totalOf(results);
  if (options.json) printJson({ ...totals, files: results.map(toJson) });
  else printTotals(totals, Date.now() - startedAt);
  if (options.junit !== undefined) await writeReport(options.junit, results);
  process.exitCode = totals.invalid > 0 ? exitCodes.refused : totals.failed > 0 ? exitCodes.no : exitCodes.ok;
}

async function printFile({ file, tests, rejected }: FileResult): Promise<void> {
  const colours = coloursOf(process.stdout);
  print(colours.bold(file));
  if (rejected !== undefined) {
    const { formatProblems } = await import('../../policy-file/format-problems.ts');
    print(formatProblems(rejected, { colour: isColoured(process.stdout) }));
  }
  for (const test of tests) {
    const mark = test.failures.length === 0 ? colours.green('✓') : colours.red('✗');
    print(`  ${mark} ${visible(test.name)} ${colours.dim(`(${count(test.assertions, 'assertion')})`)}`);
    for (const { line, column, message, explanation } of test.failures) {
      print(`      ${colours.red(visible(message))} ${colours.dim(`${file}:${line}:${column}`)}`);
      for (const sentence of explanation) print(colours.dim(`        ${visible(sentence)}`));
    }
  }
}

function printTotals({ files, passed, failed, assertions, invalid }: Totals, tookMs: number): void {
  const colours = coloursOf(process.stdout);
  const parts = [
    ...(failed > 0 ? [colours.red(`${failed} failed`)] : []),
    ...(passed > 0 || failed === 0 ? [colours.green(`${passed} passed`)] : []),
    ...(invalid > 0 ? [colours.red(`${count(invalid, 'file')} invalid`)] : []),
  ];
  print(`\n${parts.join(', ')} (${count(assertions, 'assertion')}, ${count(files, 'file')}, ${tookMs} ms)`);
}

async function writeReport(path: string, results: readonly FileResult[]): Promise<void> {
  const { formatJunit } = await import('../junit.ts');
  try {
    await writeFile(path, formatJunit(results));
  } catch (error) {
    throw new PosternError('INVALID_OPTION', `--junit ${path} cannot be written: ${messageOf(error)}`, {
      field: '--junit',
    });
  }
}

function totalOf(results: readonly FileResult[]): Totals {
  const tests: readonly TestResult[] = results.flatMap((result) => result.tests);
  const failed = tests.filter((test) => test.failures.length > 0).length;
  return {
    files: results.length,
    passed: tests.length - failed,
    failed,
    assertions: tests.reduce((total, test) => total + test.assertions, 0),
    invalid: results.filter((result) => result.rejected !== undefined).length,
  };
}

function toJson({ file, tests, rejected }: FileResult) {
  return {
    file,
    problems: rejected?.problems ?? [],
    tests: tests.map(({ name, line, assertions, failures }) => {
      return { name, line, passed: failures.length === 0, assertions, failures };
    }),
  };
}
