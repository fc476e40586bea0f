// `postern token`: what it prints is what the authenticator takes.
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAuthFile } from '../../src/authn/auth-file.ts';
import { addTokenCommand } from '../../src/cli/commands/token.ts';
import { formatProblems } from '../../src/policy-file/format-problems.ts';
import { sha256 } from '../authn/file.ts';

let stdout = '';
let stderr = '';
beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

async function token(...args: readonly string[]): Promise<void> {
  const program = new Command('postern').exitOverride().configureOutput({ outputError: () => {} });
  addTokenCommand(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ outputError: () => {} });
  await program.parseAsync(['token', ...args], { from: 'user' });
}

/** The entry on stderr, as the file reads it. */
function entryOf() {
  const lines = stderr.split('\n').filter((line) => line.startsWith('  '));
  const result = parseAuthFile(`version: 1\ntokens:\n${lines.join('\n')}\n`, 'auth.yaml');
  if (!result.ok) throw new Error(formatProblems(result));
  const [entry, ...others] = result.file.tokens.values();
  expect(others).toEqual([]);
  return entry;
}

describe('a token', () => {
  test('is alone on stdout, and its entry on stderr is one that the file takes', async () => {
    await token('--subject', 'service:ci');
    expect(stdout).toMatch(/^pst_[A-Za-z0-9_-]{43}\n$/);
    expect(stderr).not.toContain(stdout.trim());
    expect(entryOf()).toEqual({
      hash: Buffer.from(sha256(stdout.trim()), 'hex'),
      subject: 'service:ci',
      operator: false,
      expiresAt: undefined,
      tenants: undefined,
    });
  });

  test.for(['user:alice b', "user:o'neil", 'user:#1', 'user:a: b', 'user:"x"', 'user:ä', 'app:1'])(
    'of %s has an entry that names it',
    async (subject) => {
      await token('--subject', subject, '--operator');
      expect(entryOf()).toMatchObject({ subject, operator: true });
    },
  );

  test.for([
    ['90d', 90 * 86_400_000],
    ['12h', 12 * 3_600_000],
    ['1m', 60_000],
  ] as const)('expires in %s', async ([when, ms]) => {
    const before = Date.now();
    await token('--subject', 'service:ci', '--expires', when);
    const expiresAt = entryOf()?.expiresAt as number;
    expect(expiresAt).toBeGreaterThanOrEqual(before + ms);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + ms);
  });

  test('expires at an instant, and is JSON where that is asked for', async () => {
    await token('--subject', 'service:ci', '--operator', '--expires', '2127-01-01T01:00:00+01:00', '--json');
    const printed = JSON.parse(stdout) as { readonly token: string };
    expect(printed).toEqual({
      token: expect.stringMatching(/^pst_/),
      entry: {
        sha256: sha256(printed.token),
        subject: 'service:ci',
        operator: true,
        expires_at: '2127-01-01T00:00:00Z',
      },
    });
    expect(stderr).toBe('');
  });
});

test.for<[readonly string[], RegExp]>([
  [[], /required option '--subject <subject>' not specified/],
  [['--subject', 'alice'], /has no colon/],
  [['--subject', 'user:*'], /is a wildcard/],
  [['--subject', 'group:ops'], /is a group/],
  [['--subject', 'anonymous'], /is nobody in particular/],
  [['--subject', 'user:a', '--expires', 'soon'], /is not 90d, 12h, 30m or an instant/],
  [['--subject', 'user:a', '--expires', '0d'], /is in the past/],
  [['--subject', 'user:a', '--expires', '2020-01-01T00:00:00Z'], /is in the past/],
  [['--subject', 'user:a', '--expires', '2020-01-01'], /is not 90d, 12h, 30m or an instant/],
])('%j is refused, and no token is made', async ([args, message]) => {
  await expect(token(...args)).rejects.toThrow(message);
  expect(stdout).toBe('');
});
