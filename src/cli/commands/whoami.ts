/** `postern whoami`: as whom the sidecar knows this token or certificate. */
import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { addCredentialOptions, type CredentialOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';
import { print, printJson, visible } from '../output.ts';

export function addWhoamiCommand(program: Command): void {
  const command = program.command('whoami').description('Whom does the sidecar take you for?').action(runWhoami);
  addCredentialOptions(command);
  addExamples(command, [
    ['postern whoami --token-file token', 'the subject, and what the credential is good for'],
    ['postern whoami --json | jq -r .subject', 'with POSTERN_TOKEN set'],
  ]);
}

async function runWhoami(options: CredentialOptions) {
  const [{ withAdmin }, { PolicyService, WhoAmIResponseSchema }] = await Promise.all([
    import('../admin-client.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
  ]);
  const answer = await withAdmin(options, (client) => client.unary(PolicyService.method.whoAmI, {}));
  if (options.json) {
    printJson(toJson(WhoAmIResponseSchema, answer, { alwaysEmitImplicit: true }));
    return;
  }
  const { subject, operator, tenants, method } = answer;
  const marks = [
    ...(operator ? ['operator'] : []),
    `by ${method}`,
    ...(tenants.length === 0 ? [] : [`for ${tenants.join(', ')} only`]),
  ];
  print(visible(`${subject} (${marks.join(', ')})`));
}
