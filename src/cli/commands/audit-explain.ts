/** `postern audit explain`: why a recorded decision was what it was, at the revision at which it was made. */
import type { Command } from 'commander';
import { addLogPlaceOptions, type LogPlace, logPlaceOf, parseDecisionId } from '../log-options.ts';
import { addRedisOptions, jsonOption } from '../options.ts';
import type { Subcommands } from '../subcommands.ts';

interface ExplainFlags extends LogPlace {
  readonly policy?: string;
  readonly json?: true;
}

export const auditExplainExamples = [
  ['postern audit explain 01KBQ3VJ8Z6M1T0W9XQ2E4R5SA --redis redis://localhost', 'why, at its revision'],
  ['postern audit explain 01KBQ3VJ8Z6M1T0W9XQ2E4R5SA --policy exported.yaml', 'by a log on disk and a policy file'],
] as const;

export function addAuditExplain(add: Subcommands['add']): void {
  const command = add('explain', 'Why was it decided so? At the revision at which it was')
    .argument('<decision>', 'the id of the decision, as in an answer or a record', parseDecisionId)
    .option('--policy <file>', 'the graph of that revision, as "postern export" wrote it')
    .action(runExplain);
  addLogPlaceOptions(command).addOption(jsonOption());
  addRedisOptions(command, 'decisions');
}

async function runExplain(id: string, flags: ExplainFlags, command: Command) {
  const { policy, json } = flags;
  const { explainDecision } = await import('../audit-explain.ts');
  process.exitCode = await explainDecision(id, {
    log: logPlaceOf(flags, command),
    graph: flags,
    ...(policy === undefined ? {} : { policy }),
    ...(json === undefined ? {} : { json }),
  });
}
