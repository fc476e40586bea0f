// What the program says of itself, and that docs/cli.md says the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { describeFailure, exitCodes, exitMeanings, toFailure } from '../../src/cli/exit.ts';
import { createProgram } from '../../src/cli/program.ts';
import { type ErrorCode, PosternError } from '../../src/model/errors.ts';
import { statuses } from '../../src/server/errors.ts';
import { postern } from './postern.ts';

const program = await createProgram();
const docs = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');

/** With the commands of commands. */
const allCommands = program.commands.flatMap((command) => [command, ...command.commands]);

/** What `postern WORDS` runs: a command, or one of its commands. */
function commandOf(name: string, rest: string): Command | undefined {
  const command = program.commands.find((other) => other.name() === name);
  const word = /^ ([a-z]+)(?: |$)/.exec(rest)?.[1];
  const isList = (other: Command) => other.name() === 'list';
  return command?.commands.find((other) => other.name() === word) ?? command?.commands.find(isList) ?? command;
}

const flagsOf = (command: Command | undefined) =>
  (command?.options ?? []).flatMap(({ long, short }) => [long, short]).filter((flag) => flag !== undefined);

/** The cells of the table under a heading, without its two first rows. */
function tableUnder(heading: string): string[][] {
  const section = docs.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The help as it is printed: with what addHelpText adds. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

describe('docs/cli.md', () => {
  test('lists the commands of the program with their sentences', () => {
    const commands = program.commands.map((command) => [`\`postern ${command.name()}\``, command.description()]);
    expect(tableUnder('Commands')).toEqual(commands);
  });

  test('lists the exit codes of the program', () => {
    expect(tableUnder('Exit codes')).toEqual(exitMeanings.map(({ code, meaning }) => [String(code), meaning]));
  });

  test('names only options that some command has', () => {
    const flags = new Set(allCommands.flatMap((command) => command.options.map((option) => option.long)));
    for (const option of program.options) flags.add(option.long);
    const named = [...docs.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag);
    expect(named.filter((flag) => !flags.has(flag))).toEqual([]);
    expect(named.length).toBeGreaterThan(10);
  });
});

describe('help', () => {
  test.for(program.commands)('of $_name teaches by examples that the command takes', async (command) => {
    const help = helpOf(command);
    const examples = [...help.matchAll(/^ {2}\$ .*?postern ([a-z-]+)(.*?)(?: # .*)?$/gm)];
    expect(examples.length).toBeGreaterThan(0);
    for (const [, name = '', rest = ''] of examples) {
      expect(program.commands.map((other) => other.name())).toContain(name);
      if (rest.includes('|')) continue;
      const flags = flagsOf(commandOf(name, rest));
      for (const [flag] of rest.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(flags).toContain(flag);
    }
  });

  test.for(program.commands.filter(({ commands }) => commands.length > 0))(
    'of $_name has an example for each of its commands',
    (command) => {
      const help = helpOf(command);
      const named = [...help.matchAll(/^ {2}\$ postern ([a-z]+)(.*?)(?: # .*)?$/gm)].map(([, name = '', rest = '']) =>
        commandOf(name, rest)?.name(),
      );
      for (const { _name } of command.commands as unknown as { _name: string }[]) expect(named).toContain(_name);
    },
  );

  test('of the program shows every exit code', () => {
    const help = helpOf(program);
    for (const { code, meaning } of exitMeanings) expect(help).toMatch(new RegExp(`^ +${code} +${meaning}$`, 'm'));
  });
});

describe('exit codes', () => {
  test('of all errors are documented, and never the one of a denial', () => {
    const documented = exitMeanings.map(({ code }) => code as number);
    for (const code of Object.keys(statuses) as ErrorCode[]) {
      const { exit } = toFailure(new PosternError(code, 'what'));
      expect(documented, code).toContain(exit);
      expect([exitCodes.ok, exitCodes.no], code).not.toContain(exit);
    }
  });

  test('tell an invalid policy from a malformed command', () => {
    expect(toFailure(new PosternError('INVALID_POLICY', 'what')).exit).toBe(exitCodes.refused);
    expect(toFailure(new PosternError('INVALID_OPTION', 'what')).exit).toBe(exitCodes.usage);
  });

  test('of what nobody foresaw is that of a defect, without a stack', () => {
    const error = new TypeError('x is not a function');
    expect(toFailure(error).exit).toBe(exitCodes.internal);
    expect(describeFailure(error).split('\n')).toHaveLength(1);
    expect(describeFailure(error, { debug: true })).toContain('help.test.ts');
  });
});

describe('an error with several problems', () => {
  const problems = [
    { field: 'changes[0]', message: 'is wrong' },
    { field: 'changes[1]', message: 'is wrong, too' },
  ];
  const shown = (message: string, some = problems, omitted = 0) => {
    const metadata = { problems: String(some.length + omitted) };
    return describeFailure(new PosternError('INVALID_CHANGE', message, metadata, undefined, some));
  };
  const list = '\n  changes[0]: is wrong\n  changes[1]: is wrong, too';

  test('lists each on a line of its own, and once', () => {
    expect(shown('no')).toBe(`postern: no (INVALID_CHANGE)${list}`);
    expect(shown('no: changes[0]: is wrong (and 1 more)')).toBe(`postern: no (INVALID_CHANGE)${list}`);
    expect(shown('no: changes[0]: is wrong', problems.slice(0, 1))).toBe(
      'postern: no: changes[0]: is wrong (INVALID_CHANGE)',
    );
    expect(shown('no', problems, 3)).toBe(`postern: no (INVALID_CHANGE)${list}\n  ... and 3 more`);
  });
});

describe('usage', () => {
  test('that is wrong ends with 2 and says what was probably meant', async () => {
    const help = (command: string) => `; see "postern help${command}" (INVALID_OPTION)\n`;
    const cases: readonly (readonly [args: readonly string[], stderr: string])[] = [
      [['chekc', 'user:alice'], `unknown command "chekc" (did you mean check?)${help('')}`],
      [['help', 'chekc'], `unknown command "chekc" (did you mean check?)${help('')}`],
      [
        ['check', 'user:alice', 'read', '--polcy', 'x'],
        `unknown option '--polcy' (did you mean --policy?)${help(' check')}`,
      ],
      [['check', 'user:alice'], `missing required argument 'action'${help(' check')}`],
      [['check', 'a:b', 'read', '--reach', 'up'], `--reach "up" is not one of inherited, exact${help(' check')}`],
      [['roles', 'lsit'], `unknown command "roles lsit" (did you mean roles list?)${help(' roles')}`],
      [
        ['objects', 'remove', 'doc:1'],
        `unknown command "objects remove" (did you mean objects move?)${help(' objects')}`,
      ],
      [['groups', 'show', 'ops'], `group "ops" is not a group; write it as "group:ops"${help(' groups')}`],
      [
        ['grant', 'user:a', 'r', '--on', '*', '--until', 'soon'],
        `--until "soon" is neither how long (30m, 8h, 30d) nor a time such as 2027-01-01T00:00:00Z${help(' grant')}`,
      ],
      [
        ['grant', 'user:a', 'r', '--on', '*', '--until', '2020-01-01T00:00:00Z'],
        `--until "2020-01-01T00:00:00Z" is in the past${help(' grant')}`,
      ],
      [['tail', '--subject', 'bob'], `--subject "bob" has no colon; write it as "type:id"${help(' tail')}`],
    ];
    const runs = await Promise.all(cases.map(([args]) => postern(args)));
    expect(runs).toEqual(cases.map(([, stderr]) => ({ code: 2, stdout: '', stderr: `postern: ${stderr}` })));
  });

  test('that is wrong is JSON for machines', async () => {
    const { code, stderr } = await postern(['check', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'INVALID_OPTION', message: expect.stringContaining("'subject'") },
    });
  });

  test('that is none shows the help, and the version is that of the package', async () => {
    const [none, version] = await Promise.all([postern([]), postern(['--version'])]);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('Examples:');
    expect(version).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });
});
