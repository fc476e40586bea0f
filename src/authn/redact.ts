/**
 * Takes out of messages what may be a token. Somebody who puts the token where its hash belongs must not find it in
 * the log. Called by whoever turns the file's text into problems; the place of a problem is enough to find it.
 */
import type { PolicyProblem, Rejected } from '../policy-file/problem.ts';

/** As long as no word is, in the characters that tokens, hashes and JSON Web Tokens consist of. */
const secretLike = /[A-Za-z0-9_+/=.~-]{20,}/g;

export function redact(text: string): string {
  return text.replaceAll(secretLike, '(not shown)');
}

/** The problems without the lines that they are on. */
export function redactProblems({ problems, omitted }: Rejected): Rejected {
  return { ok: false, problems: problems.map(redactProblem), omitted };
}

function redactProblem(problem: PolicyProblem): PolicyProblem {
  const path = problem.path.map((step) => (typeof step === 'string' ? redact(step) : step));
  return { ...problem, message: redact(problem.message), path, sourceLine: '' };
}
