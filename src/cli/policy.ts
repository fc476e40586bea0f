/**
 * Reads policy files for commands, the standard input among them. It must never
 * let a command go on with a policy that is not valid.
 */
import { text } from 'node:stream/consumers';
import { PosternError } from '../model/errors.ts';
import { formatProblems } from '../policy-file/format-problems.ts';
import { loadPolicyFile } from '../policy-file/load.ts';
import { parsePolicy } from '../policy-file/parse.ts';
import type { ParsedPolicy, PolicyResult } from '../policy-file/problem.ts';
import { count, isColoured, note } from './output.ts';

/** @param path "-" is the standard input. */
export async function readPolicy(path: string): Promise<PolicyResult> {
  return path === '-' ? parsePolicy(await text(process.stdin), '-') : loadPolicyFile(path);
}

/**
 * For a command that cannot go on without it; warnings go to stderr.
 * @param path "-" is the standard input.
 * @throws PosternError INVALID_POLICY, with every problem in its message
 */
export async function loadPolicy(path: string): Promise<ParsedPolicy> {
  return demandPolicy(await readPolicy(path), path);
}

/** The same for what has been parsed already. @throws PosternError INVALID_POLICY */
export function demandPolicy(result: PolicyResult, path: string): ParsedPolicy {
  const colour = isColoured(process.stderr);
  if (!result.ok) {
    const problems = count(result.problems.length + result.omitted, 'problem');
    throw new PosternError(
      'INVALID_POLICY',
      `${problems} in the policy; nothing was done\n${formatProblems(result, { colour })}`,
      { field: path },
    );
  }
  if (result.warnings.length > 0) {
    note(formatProblems({ problems: result.warnings, omitted: 0 }, { colour, label: 'warning' }));
  }
  return result;
}
