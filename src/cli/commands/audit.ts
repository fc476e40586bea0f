/** `postern audit`: what auditors do with the decision log. Each command of it is in a file of its own. */
import type { Command } from 'commander';
import { addExamples } from '../options.ts';
import { addSubcommands } from '../subcommands.ts';
import { addAuditExplain, auditExplainExamples } from './audit-explain.ts';
import { addAuditExport, auditExportExamples } from './audit-export.ts';
import { addAuditQuery, auditQueryExamples } from './audit-query.ts';
import { addAuditVerify, auditVerifyExamples } from './audit-verify.ts';

export function addAuditCommand(program: Command): void {
  const [whole, { add }] = addSubcommands(
    program,
    'audit',
    'Verifies, searches, exports and explains the decision log',
  );
  addAuditVerify(add);
  addAuditQuery(add);
  addAuditExport(add);
  addAuditExplain(add);
  const examples = [...auditVerifyExamples, ...auditQueryExamples, ...auditExportExamples, ...auditExplainExamples];
  addExamples(whole, examples);
}
