/**
 * What is wrong with how a command was called, in the words of every other error:
 * one line that says what, what was probably meant, and where to read on. Called by
 * run.ts. It must never let through a word that is no command.
 */
import type { CommanderError } from 'commander';
import { PosternError } from '../model/errors.ts';
import { suggest } from '../policy-file/suggest.ts';

/** Ends of the library that are no mistakes: help and version, which it has printed. */
const printed: ReadonlySet<string> = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** The mistake that the library found, or undefined where it printed what was asked for. */
export function toUsageError(error: CommanderError, command: string | undefined): PosternError | undefined {
  if (printed.has(error.code)) return undefined;
  return usageError(inOurWords(error.message), command);
}

/**
 * Checks the name of a command, wherever it stands: `postern NAME` and `postern help NAME`.
 * @throws PosternError INVALID_OPTION, with what was probably meant
 */
export function checkCommandName(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const meant = suggest(name, known);
  throw usageError(`unknown command "${name}"${meant === undefined ? '' : ` (did you mean ${meant}?)`}`, undefined);
}

/**
 * Refuses a word behind a command that has commands of its own, and takes no other word.
 * @throws PosternError INVALID_OPTION, with what was probably meant
 */
export function checkSubcommandName(command: string, word: string, known: readonly string[]): never {
  const meant = suggest(word, known);
  throw usageError(
    `unknown command "${command} ${word}"${meant === undefined ? '' : ` (did you mean ${command} ${meant}?)`}`,
    command,
  );
}

function usageError(message: string, command: string | undefined): PosternError {
  const help = command === undefined ? 'postern help' : `postern help ${command}`;
  return new PosternError('INVALID_OPTION', `${message}; see "${help}"`);
}

const invalidOption =
  /^option '(?:-\w, )?(--[\w-]+)[^']*' (?:argument|value) '(.*?)'(?: from env '\w+')? is invalid\. (.*)$/s;
const invalidArgument = /^command-argument value '(.*)' is invalid for argument '([\w-]+)'\. (.*)$/s;

function inOurWords(message: string): string {
  const text = message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (?:one of )?(.*)\?\)$/, ' (did you mean $1?)')
    .replace(/\.$/, '')
    .replace(/\. Expected /, ': expected ');
  const [, option, value, why] = invalidOption.exec(text) ?? [];
  if (option !== undefined) return `${option} ${JSON.stringify(value)} ${toPredicate(why)}`;
  const [, given, argument, reason] = invalidArgument.exec(text) ?? [];
  return argument === undefined ? text : `${argument} ${JSON.stringify(given)} ${toPredicate(reason)}`;
}

function toPredicate(why = ''): string {
  return why.replace(/^It /, '').replace(/^Allowed choices are /, 'is not one of ');
}
