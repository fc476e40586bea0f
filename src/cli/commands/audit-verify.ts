/** `postern audit verify`: whether the decision log is as it was written, and whole. */
import { InvalidArgumentError, Option } from 'commander';
import type { Expected } from '../../decision-log/verify/log-verifier.ts';
import { sinceOption, untilOption } from '../log-options.ts';
import { addSourceOptions, type SourceFlags, toSources } from '../log-sources.ts';
import { addExamples, collect, jsonOption } from '../options.ts';
import type { Subcommands } from '../subcommands.ts';

interface VerifyFlags extends SourceFlags {
  readonly since?: number;
  readonly until?: number;
  readonly instance?: string;
  readonly publicKey?: readonly string[];
  readonly expectLast?: readonly Expected[];
  readonly json?: true;
}

export const auditVerifyExamples = [
  ['postern audit verify', 'of the sidecar that runs in this directory, on disk'],
  [
    'postern audit verify --redis redis://localhost --tenant "*" --public-key seal.pub.pem',
    'all tenants, and who sealed',
  ],
  ['postern audit verify --since 24h --expect-last 4711 --instance pod-7', 'a day, and that its end was not cut off'],
] as const;

export function addAuditVerify(add: Subcommands['add']): void {
  const command = add('verify', 'Is the log as it was written, and whole? Names the first record that is not')
    .addOption(sinceOption())
    .addOption(untilOption())
    .option('--instance <name>', 'of this instance only')
    .option('--public-key <file>', 'whose seals are trusted (PEM, Ed25519); repeatable', collect)
    .addOption(
      new Option(
        '--expect-last <what>',
        'what the log has to reach: a hash, a number, or instance=number, as an earlier verification printed it; repeatable',
      ).argParser(parseExpected),
    )
    .addOption(jsonOption())
    .action(async (flags: VerifyFlags, command) => {
      const { verifyLog } = await import('../audit-verify.ts');
      process.exitCode = await verifyLog(toSources(flags, command), flags);
    });
  addExamples(addSourceOptions(command), auditVerifyExamples);
}

function parseExpected(written: string, before: readonly Expected[] = []): readonly Expected[] {
  const [, instance, number] = /^(?:(.+)=)?([0-9]{1,15})$/.exec(written) ?? [];
  if (number !== undefined) {
    const seq = Number(number);
    return [...before, instance === undefined ? { seq } : { instance, seq }];
  }
  if (/^[\w-]{43}$/.test(written)) return [...before, { hash: written }];
  throw new InvalidArgumentError('It is neither a hash (43 characters) nor a number nor instance=number.');
}
