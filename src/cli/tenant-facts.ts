/** What GetTenant says of a tenant, in the lines of a plan. Called by `postern tenants show` and `postern mode`. */
import { toJson } from '@bufbuild/protobuf';
import { Mode } from '../gen/postern/v1/decision_pb.ts';
import type { Record as RecordMessage } from '../gen/postern/v1/policy_pb.ts';
import { type GetTenantResponse, GetTenantResponseSchema, PolicyService } from '../gen/postern/v1/policy_service_pb.ts';
import { describeRecord } from '../policy-file/record-text.ts';
import { withAdmin } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { count, print, printAll, printJson, visible } from './output.ts';
import { parseRecord } from './tenants.ts';

export async function readFacts({
  tenant = '',
  onBehalfOf = '',
  ...options
}: AdminOptions): Promise<GetTenantResponse> {
  return withAdmin(options, (client) => client.unary(PolicyService.method.getTenant, { tenant, onBehalfOf }));
}

/** "enforce". */
export function modeOf(mode: Mode): string {
  if (mode === Mode.SHADOW) return 'shadow';
  return mode === Mode.OFF ? 'off' : 'enforce';
}

export async function showTenant(options: AdminOptions): Promise<void> {
  const facts = await readFacts(options);
  if (options.json) {
    printJson(toJson(GetTenantResponseSchema, facts, { alwaysEmitImplicit: true }));
    return;
  }
  const { tenant, revision, mode, types, attributes, hooks, constraints } = facts;
  const counts = [
    [facts.roleCount, 'role'],
    [facts.memberCount, 'membership'],
    [facts.objectCount, 'object'],
    [facts.bindingCount, 'binding'],
  ] as const;
  print(
    visible(
      `tenant ${tenant} at revision ${revision}: ${counts.map(([n, noun]) => count(Number(n), noun)).join(', ')}`,
    ),
  );
  print(`mode ${modeOf(mode)}`);
  const records: RecordMessage['record'][] = [
    ...types.map((value) => ({ case: 'type' as const, value })),
    ...attributes.map((value) => ({ case: 'attribute' as const, value })),
    ...hooks.map((value) => ({ case: 'hook' as const, value })),
    ...constraints.map((value) => ({ case: 'constraint' as const, value })),
  ];
  await printAll(records.map((record) => `${visible(describeRecord(parseRecord({ record })))}\n`));
}
