/**
 * Every call of PolicyService, once for both transports: a message in, administration asked, a message out. Must stay
 * free of decisions of its own: who may do what is for administration alone.
 */
import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Administration, CommitResult, Listed } from '../../admin/api.ts';
import type { Authenticator } from '../../authn/authenticator.ts';
import type { Credentials, Identity } from '../../authn/identity.ts';
import { PolicyService, type WatchChangesResponseSchema } from '../../gen/postern/v1/policy_service_pb.ts';
import { modeNumbers } from '../wire/enums.ts';
import { fromChangeSet, fromRecordChange } from './history.ts';
import { type WatchClock, whileAuthentic } from './recheck.ts';
import {
  fromAttribute,
  fromBinding,
  fromConstraint,
  fromGroup,
  fromHook,
  fromMember,
  fromObject,
  fromRecord,
  fromRole,
  fromType,
} from './records.ts';
import {
  toCommitRequest,
  toCreateTenantRequest,
  toDeleteTenantRequest,
  toInspected,
  toReadOptions,
} from './requests.ts';

/** What PolicyService is served with. */
export interface PolicyParts {
  readonly administration: Administration;
  readonly authenticate: Authenticator['authenticate'];
  /** By which watches have their credentials looked at again; default the system's. */
  readonly clock?: WatchClock;
}

type Methods = typeof PolicyService.method;

/** The calls with one answer. */
export type UnaryName = Exclude<keyof Methods, 'watchChanges'>;
export type RequestOf<M extends keyof Methods> = MessageShape<Methods[M]['input']>;
export type ResponseOf<M extends keyof Methods> = MessageInitShape<Methods[M]['output']>;

/** Answers one call of somebody who is known. @throws PosternError */
export type Answer<M extends UnaryName> = (
  caller: Identity,
  request: RequestOf<M>,
  signal: AbortSignal,
) => Promise<ResponseOf<M>>;

export type Answers = { readonly [M in UnaryName]: Answer<M> };

export function createAnswers(administration: Administration): Answers {
  const admin = administration;
  return {
    whoAmI: inspected('whoAmI', async (caller) => ({
      subject: caller.subject,
      operator: caller.operator,
      tenants: [...(caller.tenants ?? [])],
      method: caller.how,
    })),
    commit: async (caller, request, signal) =>
      fromCommitResult(await admin.commit(caller, toCommitRequest(request), signal)),
    getTenant: inspected('getTenant', async (caller, { tenant, atLeast, onBehalfOf }, signal) => {
      const facts = await admin.getTenant(caller, { tenant, atLeast, onBehalfOf }, signal);
      return {
        tenant: facts.tenant,
        revision: facts.revision,
        mode: modeNumbers[facts.mode],
        types: facts.types.map(fromType),
        attributes: facts.attributes.map(fromAttribute),
        hooks: facts.hooks.map(fromHook),
        constraints: facts.constraints.map(fromConstraint),
        roleCount: BigInt(facts.roleCount),
        memberCount: BigInt(facts.memberCount),
        objectCount: BigInt(facts.objectCount),
        bindingCount: BigInt(facts.bindingCount),
      };
    }),
    listRoles: inspected(
      'listRoles',
      async (caller, { options, name, containsPermissions, objectType, system }, signal) => {
        const filter = { name, containsPermissions, objectType, system };
        const listed = await admin.listRoles(caller, toReadOptions(options), filter, signal);
        return { roles: listed.items.map(fromRole), info: infoOf(listed) };
      },
    ),
    listGroups: inspected('listGroups', async (caller, { options, name }, signal) => {
      const listed = await admin.listGroups(caller, toReadOptions(options), { name }, signal);
      return { groups: listed.items.map(fromGroup), info: infoOf(listed) };
    }),
    listMembers: inspected('listMembers', async (caller, { options, group, member, transitive }, signal) => {
      const listed = await admin.listMembers(caller, toReadOptions(options), { group, member, transitive }, signal);
      return { members: listed.items.map(fromMember), info: infoOf(listed) };
    }),
    listBindings: inspected('listBindings', async (caller, request, signal) => {
      const { subject, throughGroups, role, object, inherited, scope } = request;
      const filter = { subject, throughGroups, role, object, inherited, scope };
      const listed = await admin.listBindings(caller, toReadOptions(request.options), filter, signal);
      return { bindings: listed.items.map(fromBinding), info: infoOf(listed) };
    }),
    listRegisteredObjects: inspected('listRegisteredObjects', async (caller, request, signal) => {
      const { type, parent, object } = request;
      const listed = await admin.listObjects(caller, toReadOptions(request.options), { type, parent, object }, signal);
      return { objects: listed.items.map(fromObject), info: infoOf(listed) };
    }),
    listChangeSets: inspected('listChangeSets', async (caller, { options, by, subject, role, object }, signal) => {
      const filter = { by, subject, role, object };
      const listed = await admin.listChangeSets(caller, toReadOptions(options), filter, signal);
      return { changeSets: listed.items.map(fromChangeSet), info: infoOf(listed), trimmed: listed.trimmed };
    }),
    listTenants: inspected('listTenants', async (caller, { onBehalfOf }, signal) => ({
      tenants: [...(await admin.listTenants(caller, onBehalfOf, signal))],
    })),
    createTenant: async (caller, request) =>
      fromCommitResult(await admin.createTenant(caller, toCreateTenantRequest(request))),
    deleteTenant: async (caller, request) => {
      const { revision, records } = await admin.deleteTenant(caller, toDeleteTenantRequest(request));
      return { revision, recordCount: BigInt(records) };
    },
  };
}

/**
 * What a watch sends, until the signal aborts.
 * @param caller Who the credentials make; they are authenticated again while the watch is open.
 * @throws PosternError
 */
export async function* watchChanges(
  { administration, authenticate, clock }: PolicyParts,
  caller: Identity,
  credentials: Credentials,
  request: RequestOf<'watchChanges'>,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchChangesResponseSchema>, void> {
  const { tenant, since, onBehalfOf } = toInspected(PolicyService.method.watchChanges.input, request);
  const watcher = { caller, credentials, authenticate, clock };
  const open = (ended: AbortSignal) => administration.watch(caller, { tenant, since, onBehalfOf }, ended);
  for await (const event of whileAuthentic(watcher, open, signal)) {
    if (event.kind === 'changes') {
      yield { event: { case: 'changeSet', value: fromChangeSet(event.changeSet) } };
    } else {
      const { revision, first, last, records } = event;
      yield { event: { case: 'graph', value: { revision, first, last, records: records.map(fromRecord) } } };
    }
  }
}

/** The answer to a request of which every field is known. */
function inspected<M extends UnaryName>(name: M, answer: Answer<M>): Answer<M> {
  const { input } = PolicyService.method[name];
  return async (caller, request, signal) => answer(caller, toInspected(input, request), signal);
}

function fromCommitResult({ revision, changes }: CommitResult) {
  return { revision, changes: changes.map(fromRecordChange) };
}

function infoOf({ nextPageToken, revision }: Listed<unknown>) {
  return { nextPageToken, revision };
}
