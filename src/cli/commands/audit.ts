/** `postern audit`: what auditors do with the decision log. Each command of it is in a file of its own. */
import type { Command } from 'commander';
import { addExamples } from '../options.ts';
import { addSubcommands } from '../subcommands.ts';
import { addAuditExplain, auditExplainExamples } from './audit-explain.ts';

export function addAuditCommand(program: Command): void {
  const [whole, { add }] = addSubcommands(program, 'audit', 'Explains what the decision log holds');
  addAuditExplain(add);
  addExamples(whole, auditExplainExamples);
}
