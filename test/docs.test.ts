// The documents name paths, scripts, commands, options, variables, metrics and codes: all of them are there. The
// policies that they show are valid, and their tests pass.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { status as grpcStatus } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { runTestFile } from '../src/cli/policy-tests.ts';
import { createProgram } from '../src/cli/program.ts';
import { envNameOf, type OptionSpec } from '../src/config/option-spec.ts';
import { serveOptions } from '../src/config/options.ts';
import { ModeSchema, ReachSchema, ReasonSchema } from '../src/gen/postern/v1/decision_pb.ts';
import { BatchModeSchema } from '../src/gen/postern/v1/decision_service_pb.ts';
import type { ErrorCode } from '../src/model/errors.ts';
import { loadPolicyFile } from '../src/policy-file/load.ts';
import { statuses } from '../src/server/errors.ts';
import { blockWith, readPage, readPages, root } from './docs/pages.ts';

const pages = readPages();
/** Speaks of other systems, in their words. */
const migration = 'docs/migration.md';
const handbook = pages.filter(({ path }) => /^(README\.md$|docs\/)/.test(path) && path !== migration);
const program = await createProgram();
const commands = new Map(program.commands.map((command) => [command.name(), command]));
const flagsOf = (options: (typeof program)['options']) =>
  options.flatMap(({ long, short }) => [long, short]).filter((flag) => flag !== undefined);
const shared = ['--help', '-h', ...flagsOf(program.options)];
/** With the commands of commands. */
const allCommands = program.commands.flatMap((command) => [command, ...command.commands]);
const allFlags = new Set([...shared, ...allCommands.flatMap(({ options }) => flagsOf(options))]);

const enumValues = [BatchModeSchema, ModeSchema, ReachSchema, ReasonSchema].flatMap(({ values }) =>
  values.map(({ name }) => name),
);
const reasons = ReasonSchema.values.map(({ name }) => name.replace(/^REASON_/, ''));
const options: readonly OptionSpec[] = serveOptions;
const variables = new Set([
  ...options.map(envNameOf),
  'POSTERN_ADDRESS',
  'POSTERN_CONFIG',
  'POSTERN_TENANT',
  'POSTERN_TOKEN',
]);
/** Of other programs: Node, the test command, the terminal. */
const otherVariables = ['NO_COLOR', 'FORCE_COLOR', 'NODE_ENV', 'NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'REDIS_URL'];

/** Text after `postern COMMAND`, up to what the shell or a comment takes over. */
function callsOf(code: string): readonly (readonly [command: string, rest: string])[] {
  const found = code.matchAll(/(?:^|[\s(])postern ([a-z][a-z-]*)((?:(?! [#|] |[;)]).)*)/g);
  return [...found].map(([, command = '', rest = '']) => [command, rest]);
}

const flagsIn = (text: string) => [...text.matchAll(/(?<=^|[\s[(])--[a-z][a-z-]*/g)].map(([flag]) => flag);
/** Lines that call another program have flags of that one. */
const isOurs = (code: string) =>
  !/^(docker|kubectl|npm|npx(?! postern)|curl|grpcurl|pip|python|git|node|vitest)\b/.test(code);

describe.for(pages.map((page) => [page.path, page] as const))('%s', ([, page]) => {
  test('links to what is there', () => {
    const broken = page.links.filter((link) => !existsSync(join(root, dirname(page.path), link.replace(/#.*$/, ''))));
    expect(broken).toEqual([]);
  });

  test('names paths of the repository that are there', () => {
    const top = /(?<![\w./-])(?:\.ci|bench|bin|deploy|docs|examples|proto|scripts|src|test)\/[\w./*-]*/g;
    const named = page.code.flatMap((code) => [...code.matchAll(top)].map(([path]) => path.replace(/[.]$/, '')));
    const missing = named.filter((path) => !existsSync(join(root, path.replace(/\/[^/]*\*.*$/, ''))));
    expect(missing).toEqual([]);
  });

  test('names scripts of package.json', () => {
    const scripts = page.code.flatMap((code) =>
      [...code.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short),
    );
    expect(scripts.filter((script) => !Object.hasOwn(packageJson.scripts, script ?? ''))).toEqual([]);
  });

  test('calls commands that are there, with options that they have', () => {
    const wrong = page.code.flatMap(callsOf).filter(([name, rest]) => {
      if (name === 'help') return false;
      const whole = commands.get(name);
      if (whole === undefined) return true;
      const [, word = 'list'] = /^ ([a-z]+)(?: |$)/.exec(rest) ?? [];
      const command = whole.commands.find((one) => one.name() === word) ?? whole;
      const known = [...shared, ...flagsOf(command.options)];
      return flagsIn(rest).some((flag) => !known.includes(flag));
    });
    expect(wrong).toEqual([]);
  });

  test('names options that some command has', () => {
    const named = page.code.filter(isOurs).flatMap(flagsIn);
    expect(named.filter((flag) => !allFlags.has(flag))).toEqual([]);
  });

  test('names variables that the program reads', () => {
    const named = [...page.text.matchAll(/\bPOSTERN_[A-Z_]+\b/g)].map(([name]) => name);
    expect(named.filter((name) => !variables.has(name))).toEqual([]);
  });

  test('names metrics that there are', () => {
    const source = readFileSync(join(root, 'src/telemetry/metrics.ts'), 'utf8');
    const metrics = new Set([...source.matchAll(/'(postern_[a-z_]+)'/g)].map(([, name]) => name));
    const named = [...page.text.matchAll(/\bpostern_[a-z]+(?:_[a-z]+)+\b/g)].map(([name]) => name);
    expect(metrics.size).toBeGreaterThan(5);
    expect(named.filter((name) => !metrics.has(name))).toEqual([]);
  });
});

describe.for(handbook.map((page) => [page.path, page] as const))('%s', ([, page]) => {
  test('names codes, reasons and values that there are', () => {
    const known = new Set([...Object.keys(statuses), ...reasons, ...enumValues, ...otherVariables, ...variables]);
    const named = page.code.flatMap((code) =>
      [...code.matchAll(/(?<![\w*])[A-Z]+(?:_[A-Z]+)+(?![\w*])/g)].map(([name]) => name),
    );
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

test('docs/services.md tells the status of every error that a service can get', () => {
  const rows = [...readPage('docs/services.md').text.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \| (\d+) \| .+ \|$/gm)];
  const told = rows.map(([, code = '', grpc = '', http]) => [code, grpc, Number(http)]);
  // Of the command line, and of writing policy.
  const notForServices: readonly ErrorCode[] = ['INVALID_POLICY', 'INVALID_OPTION', 'REVISION_CONFLICT'];
  const expected = Object.entries(statuses)
    .filter(([code]) => !notForServices.includes(code as ErrorCode))
    .map(([code, { grpc, http }]) => [code, grpcStatus[grpc], http]);
  expect(told.toSorted()).toEqual(expected.toSorted());
});

describe('a policy that is shown', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-docs-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.for(['README.md', 'docs/policy.md'])('in %s is valid, without a warning, and its tests pass', async (path) => {
    const page = readPage(path);
    const policy = join(directory, 'policy.yaml');
    const tests = join(directory, 'policy.test.yaml');
    await writeFile(policy, blockWith(page, 'yaml', '\nbindings:'));
    await writeFile(tests, blockWith(page, 'yaml', '\ntests:'));
    expect(await loadPolicyFile(policy)).toMatchObject({ ok: true, warnings: [] });
    const result = await runTestFile(tests, Date.UTC(2026, 5, 1));
    expect(result.rejected).toBeUndefined();
    expect(result.tests.length).toBeGreaterThan(0);
    expect(result.tests.flatMap((claim) => claim.failures)).toEqual([]);
  });

  test('is all the YAML that these pages hold', () => {
    for (const path of ['README.md', 'docs/policy.md']) {
      const shown = readPage(path).blocks.filter(({ language }) => language === 'yaml');
      expect(
        shown.map(({ text }) => /\n(bindings|tests):/.test(text)),
        path,
      ).toEqual([true, true]);
    }
  });
});
