/** `postern token`: makes a token for PolicyService, and the entry of the file that makes it known. Asks nobody. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { problemOfIdentity } from '../../authn/identity.ts';
import { createToken, printTokenEntry } from '../../authn/new-token.ts';
import { formatInstant, parseInstant } from '../../policy-file/instant.ts';
import { addExamples, jsonOption } from '../options.ts';
import { note, print, printJson } from '../output.ts';

interface TokenOptions {
  readonly subject: string;
  readonly operator?: boolean;
  readonly expires?: number;
  readonly json?: true;
}

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The last instant that RFC 3339 can write. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59);

export function addTokenCommand(program: Command): void {
  const command = program
    .command('token')
    .description('Makes a token for those who administer')
    .addOption(
      new Option('--subject <subject>', 'whose it is: user:alice, service:ci')
        .argParser(parseSubject)
        .makeOptionMandatory(),
    )
    .option('--operator', 'it may do whatever is valid, locked bindings and system roles included')
    .addOption(
      new Option('--expires <when>', 'refused from then on: 90d, 12h or 2027-01-01T00:00:00Z').argParser(parseExpiry),
    )
    .addOption(jsonOption())
    .action(runToken);
  addExamples(command, [
    ['postern token --subject service:ci --expires 90d', 'the token on stdout, the entry for --admin-auth on stderr'],
    ['postern token --subject user:root --operator > token', 'so that only the entry is on the terminal'],
    ['postern token --subject service:ci --json', ''],
  ]);
}

function runToken({ subject, operator = false, expires, json }: TokenOptions) {
  const { token, sha256 } = createToken();
  if (json) {
    const limits = {
      ...(operator ? { operator } : {}),
      ...(expires === undefined ? {} : { expires_at: formatInstant(expires) }),
    };
    return printJson({ token, entry: { sha256, subject, ...limits } });
  }
  print(token);
  note('This token is shown once. Add to "tokens:" of the file that the sidecar reads with --admin-auth:');
  note(printTokenEntry({ sha256, subject, operator, expiresAt: expires }));
}

function parseSubject(subject: string): string {
  const problem = problemOfIdentity(subject);
  if (problem !== undefined) throw new InvalidArgumentError(`It ${problem}.`);
  return subject;
}

function parseExpiry(text: string): number {
  const [, count, unit = ''] = /^([0-9]{1,6})([mhd])$/.exec(text) ?? [];
  const at = count === undefined ? parseInstant(text) : Date.now() + Number(count) * (unitsMs[unit] as number);
  if (at === undefined)
    throw new InvalidArgumentError('It is not 90d, 12h, 30m or an instant as 2027-01-01T00:00:00Z.');
  if (at <= Date.now()) throw new InvalidArgumentError('It is in the past.');
  if (at > lastInstant) throw new InvalidArgumentError('It is too far away.');
  return at;
}
