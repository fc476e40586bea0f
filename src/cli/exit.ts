/**
 * How the command line ends: the documented exit codes, and what anything thrown
 * becomes on stderr. The codes of errors come from the one table in the server;
 * `postern --help` and docs/cli.md print what is here. It must never turn a
 * failure into the exit code of an answer.
 */
import { type ErrorCode, type FieldProblem, messageOf, PosternError } from '../model/errors.ts';
import { statuses } from '../server/errors.ts';
import { visible } from './output.ts';

export const exitCodes = {
  ok: 0,
  no: 1,
  usage: 2,
  refused: 3,
  unavailable: 4,
  conflict: 5,
  internal: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each code means, for the help and the docs. */
export const exitMeanings: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: exitCodes.ok, meaning: 'allowed, or done' },
  {
    code: exitCodes.no,
    meaning:
      'denied; a test failed; the graphs differ; not serving; not confirmed; an import or a replay changes something; a record is not confirmed; a log is not in order',
  },
  { code: exitCodes.usage, meaning: 'wrong arguments, options or names' },
  { code: exitCodes.refused, meaning: 'refused: an invalid policy or change, a limit, or not permitted' },
  { code: exitCodes.unavailable, meaning: 'no answer from the sidecar or Redis; worth a retry' },
  {
    code: exitCodes.conflict,
    meaning: 'somebody else changed the graph meanwhile, or it is there already; read it again',
  },
  { code: exitCodes.internal, meaning: 'a defect, or damaged data' },
  { code: exitCodes.interrupted, meaning: 'interrupted by Ctrl-C' },
];

export interface Failure {
  readonly exit: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** The offending field or option, or empty. */
  readonly field: string;
  /** Everything that is wrong, where the message does not say all of it. */
  readonly problems: readonly FieldProblem[];
  /** How many problems there are beyond those. */
  readonly omitted: number;
}

/** Anything thrown, as the prompt sees it. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof PosternError)) {
    const message = `internal error: ${messageOf(error)}; run it again with --debug and report what it prints`;
    return { exit: exitCodes.internal, code: 'INTERNAL', message, field: '', problems: [], omitted: 0 };
  }
  const { code, message, metadata, problems } = error;
  const omitted = Math.max(Number(metadata.problems ?? 0) - problems.length, 0) || 0;
  return {
    exit: statuses[code].exit,
    code,
    message,
    field: metadata.field ?? metadata.option ?? '',
    problems,
    omitted,
  };
}

/**
 * Text for stderr: one line, and one more for each thing that is wrong where there are several; or one line of JSON
 * for machines. With the stack where it is asked for.
 */
export function describeFailure(error: unknown, { json = false, debug = false } = {}): string {
  const failure = toFailure(error);
  const { code, message, field, problems } = failure;
  const more = { ...(field === '' ? {} : { field }), ...(problems.length === 0 ? {} : { problems }) };
  const text = json ? JSON.stringify({ error: { code, message, ...more } }) : `postern: ${withProblems(failure)}`;
  return debug && error instanceof Error ? `${text}\n${stacksOf(error)}` : text;
}

/** The message, and a line for each problem where there are several: those that the message tells are told once. */
function withProblems({ code, message, problems, omitted }: Failure): string {
  const coded = (text: string) => (code === 'INTERNAL' || text.includes('\n') ? text : `${text} (${code})`);
  const [first] = problems;
  if (first === undefined) return coded(message);
  if (problems.length === 1) return `${coded(message)}${message.includes(first.message) ? '' : listOf(problems)}`;
  // Of a request that cannot be read, a problem goes on after the name of its field.
  const places = [': ', ' '].map((link) => message.indexOf(`${first.field}${link}${first.message}`));
  const told = first.field === '' ? -1 : Math.max(...places);
  const head = told < 0 ? message : message.slice(0, told).replace(/[\s:;]+$/, '');
  return `${coded(head)}${listOf(problems)}${omitted > 0 ? `\n  ... and ${omitted} more` : ''}`;
}

function listOf(problems: readonly FieldProblem[]): string {
  return problems
    .map(({ field, message }) => `\n${visible(`  ${field === '' ? '' : `${field}: `}${message}`)}`)
    .join('');
}

function stacksOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stacksOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
