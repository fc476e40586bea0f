/**
 * What `postern tenants` does with whole tenants over PolicyService: makes one of a template, reads one, deletes one.
 * It must never show or write a part of a tenant as the whole.
 */
import { text } from 'node:stream/consumers';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Mode } from '../gen/postern/v1/decision_pb.ts';
import { RecordSchema } from '../gen/postern/v1/policy_pb.ts';
import { PolicyService } from '../gen/postern/v1/policy_service_pb.ts';
import type { EntityRecord } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { readPolicyText } from '../policy-file/load.ts';
import type { ParsedPolicy } from '../policy-file/problem.ts';
import { parseTemplate } from '../policy-file/template.ts';
import type { TemplateValues } from '../policy-file/template-parameters.ts';
import { toRecord } from '../server/policy/changes.ts';
import { createProblems } from '../server/policy/problems.ts';
import { fromRecord } from '../server/policy/records.ts';
import { withAdmin } from './admin-client.ts';
import type { AdminOptions, ConfirmOptions, CredentialOptions } from './admin-options.ts';
import type { Client } from './client.ts';
import { propose } from './commit.ts';
import { confirmByName } from './confirm.ts';
import { exitCodes } from './exit.ts';
import { coloursOf, count, note, print, printJson } from './output.ts';
import { demandPolicy } from './policy.ts';

export interface CreateOptions extends CredentialOptions, ConfirmOptions {
  readonly template: string;
  readonly set?: ReadonlyMap<string, string>;
}

export interface DeleteOptions extends CredentialOptions, ConfirmOptions {
  readonly expected?: string;
}

export async function createTenant(tenant: string, options: CreateOptions): Promise<void> {
  // The file first: a template that is wrong is told without a sidecar.
  const { records } = await loadTemplate(options.template, { tenant, values: options.set ?? new Map() });
  const changes = records.map((record) => ({ change: { case: 'put' as const, value: fromRecord(record) } }));
  const { why = '' } = options;
  await withAdmin(options, (client) =>
    propose(
      {
        send: (dryRun) => client.unary(PolicyService.method.createTenant, { tenant, changes, why, dryRun }),
        where: `the new tenant ${tenant}`,
        expected: '',
      },
      options,
    ),
  );
}

async function loadTemplate(path: string, values: TemplateValues): Promise<ParsedPolicy> {
  const read = path === '-' ? { ok: true as const, text: await text(process.stdin) } : await readPolicyText(path);
  return demandPolicy(read.ok ? parseTemplate(read.text, path, values) : read, path);
}

/** The whole graph of a tenant. */
export async function readTenant(tenant: string, options: AdminOptions) {
  return withAdmin(options, async (client) => {
    const { onBehalfOf = '' } = options;
    let records: EntityRecord[] = [];
    for await (const { event } of client.stream(PolicyService.method.watchChanges, { tenant, onBehalfOf })) {
      if (event.case !== 'graph') break;
      const { first, last, revision } = event.value;
      if (first) records = [];
      for (const message of event.value.records) records.push(parseRecord(message));
      if (last) return { records, revision };
    }
    throw new PosternError('NOT_READY', `the graph of tenant ${tenant} came to an end in the middle; try again`);
  });
}

/** @throws PosternError STORE_CORRUPT */
export function parseRecord(message: MessageInitShape<typeof RecordSchema>): EntityRecord {
  const problems = createProblems();
  const record = toRecord(create(RecordSchema, message), 'record', problems);
  if (record !== undefined) return record;
  const [{ field, message: problem } = { field: 'a record', message: 'is not legal' }] = problems.kept;
  throw new PosternError('STORE_CORRUPT', `${field} ${problem}; is the sidecar of this version?`, { field });
}

export async function deleteTenant(tenant: string, options: DeleteOptions): Promise<void> {
  await withAdmin(options, async (client) => {
    const { revision, words, mode } = await describeTenant(client, tenant);
    await checkMayDelete(client, tenant, mode);
    const expected = options.expected ?? revision;
    if (!options.json) print(`- tenant ${tenant}: ${words}`);
    if (options.dryRun) {
      if (options.json) printJson({ tenant, revision, deleted: false });
      else note(`tenant ${tenant} is at revision ${revision}; nothing was deleted`);
      return;
    }
    if (
      !options.yes &&
      !(await confirmByName('This cannot be undone. Type the name of the tenant to delete it:', tenant))
    ) {
      note('not confirmed; nothing was deleted');
      process.exitCode = exitCodes.no;
      return;
    }
    const { why = '' } = options;
    const done = await client.unary(PolicyService.method.deleteTenant, { tenant, expected, why });
    if (options.json) printJson({ tenant, revision: done.revision, deleted: true, records: Number(done.recordCount) });
    else
      print(
        `${coloursOf(process.stdout).red('deleted')} tenant ${tenant}: ${count(Number(done.recordCount), 'record')}`,
      );
  });
}

/** Before anybody types a name: what the sidecar would refuse, and a way to ask that writes nothing. */
async function checkMayDelete(client: Client, tenant: string, mode: Mode): Promise<void> {
  const { operator, subject } = await client.unary(PolicyService.method.whoAmI, {});
  if (!operator) {
    throw new PosternError('NOT_PERMITTED', `${subject} may not delete a tenant: only an operator may`, { subject });
  }
  // The mode that it has already: no change, and refused where nothing may be changed at all.
  const same = { case: 'put' as const, value: { record: { case: 'settings' as const, value: { mode } } } };
  await client.unary(PolicyService.method.commit, { tenant, changes: [{ change: same }], dryRun: true });
}

async function describeTenant(client: Client, tenant: string) {
  const facts = await client.unary(PolicyService.method.getTenant, { tenant });
  const { roleCount, memberCount, objectCount, bindingCount, revision, mode } = facts;
  const parts = [
    [roleCount, 'role'],
    [memberCount, 'membership'],
    [objectCount, 'object'],
    [bindingCount, 'binding'],
  ] as const;
  return { revision, mode, words: parts.map(([n, noun]) => count(Number(n), noun)).join(', ') };
}
