/**
 * How the command line ends: the documented exit codes, and what anything thrown
 * becomes on stderr. The codes of errors come from the one table in the server;
 * `postern --help` and docs/cli.md print what is here. It must never turn a
 * failure into the exit code of an answer.
 */
import { type ErrorCode, messageOf, PosternError } from '../model/errors.ts';
import { statuses } from '../server/errors.ts';

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
    meaning: 'denied; a test failed; the graphs differ; not serving; not confirmed; an import changes something',
  },
  { code: exitCodes.usage, meaning: 'wrong arguments, options or names' },
  { code: exitCodes.refused, meaning: 'refused: an invalid policy, a limit, or not permitted' },
  { code: exitCodes.unavailable, meaning: 'no answer from the sidecar or Redis; worth a retry' },
  { code: exitCodes.conflict, meaning: 'somebody else changed the graph meanwhile; read it again' },
  { code: exitCodes.internal, meaning: 'a defect, or damaged data' },
  { code: exitCodes.interrupted, meaning: 'interrupted by Ctrl-C' },
];

export interface Failure {
  readonly exit: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** The offending field or option, or empty. */
  readonly field: string;
}

/** Anything thrown, as the prompt sees it. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof PosternError)) {
    const message = `internal error: ${messageOf(error)}; run it again with --debug and report what it prints`;
    return { exit: exitCodes.internal, code: 'INTERNAL', message, field: '' };
  }
  const { code, message, metadata } = error;
  return { exit: statuses[code].exit, code, message, field: metadata.field ?? metadata.option ?? '' };
}

/** Text for stderr: one line, or one line of JSON for machines; with the stack where it is asked for. */
export function describeFailure(error: unknown, { json = false, debug = false } = {}): string {
  const { code, message, field } = toFailure(error);
  const text = json
    ? JSON.stringify({ error: { code, message, ...(field === '' ? {} : { field }) } })
    : `postern: ${message}${code === 'INTERNAL' || message.includes('\n') ? '' : ` (${code})`}`;
  return debug && error instanceof Error ? `${text}\n${stacksOf(error)}` : text;
}

function stacksOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stacksOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
