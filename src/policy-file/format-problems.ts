/** Problems of a file for a person: place, what is wrong, what was meant, and the line with a caret. Pure text. */
import type { PolicyProblem, Rejected } from './problem.ts';

export interface FormatOptions {
  /** Adds ANSI colours; default false. */
  readonly colour?: boolean;
  /** The word before a message, for warnings; default none. */
  readonly label?: string;
}

/** The most of a source line that is shown. */
const maxShown = 160;

/** One block a problem, and a last line that counts those left out. No newline at the end. */
export function formatProblems({ problems, omitted }: Omit<Rejected, 'ok'>, options: FormatOptions = {}): string {
  const blocks = problems.map((problem) => formatProblem(problem, options));
  if (omitted > 0) blocks.push(`... and ${omitted} more`);
  return blocks.join('\n');
}

/** `policy.yaml:12:7: unknown role "edtior" (did you mean "editor"?)`, then the line and a caret where there is one. */
export function formatProblem(problem: PolicyProblem, { colour = false, label }: FormatOptions = {}): string {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { file, line, column, sourceLine } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const word = label === undefined ? '' : paint(33, `${label}: `);
  const heading = `${paint(1, `${place}:`)} ${word}${describeProblem(problem)}`;
  if (sourceLine.trim() === '' || column > maxShown) return heading;
  const number = String(line);
  const margin = ' '.repeat(number.length);
  const shown = visible(sourceLine.slice(0, maxShown));
  // The caret line repeats tabs, so that the caret stands right however wide a tab is shown.
  const indent = visible(sourceLine.slice(0, column - 1)).replaceAll(/[^\t]/g, ' ');
  const bar = paint(34, '|');
  return `${heading}\n  ${paint(34, number)} ${bar} ${shown}\n  ${margin} ${bar} ${indent}${paint(31, '^')}`;
}

/** The message with its suggestion, without the place: for tables and JSON. */
export function describeProblem({ message, suggestion }: Pick<PolicyProblem, 'message' | 'suggestion'>): string {
  return suggestion === undefined ? message : `${message} (did you mean ${JSON.stringify(suggestion)}?)`;
}

/** A policy must not be able to move the cursor of whoever reads about it. */
function visible(text: string): string {
  return text.replaceAll(/[^\P{Cc}\t]/gu, '\ufffd');
}
