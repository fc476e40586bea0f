/**
 * An Administration that keeps what it is asked, and answers with what a test gives it; and an authenticator that
 * knows one token, for tests of the adapters.
 */
import type { Administration, CommitResult, WatchEvent } from '../../../src/admin/api.ts';
import type { Credentials, Identity } from '../../../src/authn/identity.ts';
import { unauthenticated } from '../../../src/authn/identity.ts';

export interface Asked {
  readonly method: keyof Administration;
  readonly caller: Identity;
  readonly request: readonly unknown[];
  readonly signal: AbortSignal | undefined;
}

export interface FakeAdministration extends Administration {
  readonly asked: Asked[];
  /** What the next calls answer, or throw where it is an Error; a promise is waited for. */
  answers: { [M in keyof Administration]?: unknown };
  /** What a watch yields; it ends with the list, unless it is told to wait for its signal. */
  events: AsyncIterable<WatchEvent> | Iterable<WatchEvent>;
}

export const alice: Identity = { subject: 'user:alice', operator: false, tenants: ['default'], how: 'token' };
export const bearer = { authorization: 'Bearer secret' };

export async function authenticate({ authorization }: Credentials): Promise<Identity> {
  if (authorization === bearer.authorization) return alice;
  throw unauthenticated(authorization === undefined ? 'credentials are missing' : 'the token is not known');
}

const committed: CommitResult = { revision: 'e1.2', changes: [] };
const listed = { items: [], nextPageToken: '', revision: 'e1.1' };

export function createFakeAdministration(): FakeAdministration {
  const asked: Asked[] = [];
  const fake: FakeAdministration = {
    asked,
    answers: {},
    events: [],
    commit: (caller, request, signal) => answer('commit', caller, [request], signal, committed),
    getTenant: (caller, options, signal) =>
      answer('getTenant', caller, [options], signal, {
        tenant: 'default',
        revision: 'e1.1',
        mode: 'enforce',
        types: [],
        attributes: [],
        hooks: [],
        constraints: [],
        roleCount: 1,
        memberCount: 2,
        objectCount: 3,
        bindingCount: 4,
      }),
    listRoles: (caller, options, filter, signal) => answer('listRoles', caller, [options, filter], signal, listed),
    listGroups: (caller, options, filter, signal) => answer('listGroups', caller, [options, filter], signal, listed),
    listMembers: (caller, options, filter, signal) => answer('listMembers', caller, [options, filter], signal, listed),
    listBindings: (caller, options, filter, signal) =>
      answer('listBindings', caller, [options, filter], signal, listed),
    listObjects: (caller, options, filter, signal) => answer('listObjects', caller, [options, filter], signal, listed),
    listChangeSets: (caller, options, filter, signal) =>
      answer('listChangeSets', caller, [options, filter], signal, { ...listed, trimmed: true }),
    async *watch(caller, request, signal) {
      await answer('watch', caller, [request], signal, undefined);
      yield* fake.events;
    },
    listTenants: (caller, onBehalfOf) => answer('listTenants', caller, [onBehalfOf], undefined, ['default']),
    createTenant: (caller, request) => answer('createTenant', caller, [request], undefined, committed),
    deleteTenant: (caller, request) =>
      answer('deleteTenant', caller, [request], undefined, { revision: 'e1.3', records: 7 }),
  };
  return fake;

  async function answer<T>(
    method: keyof Administration,
    caller: Identity,
    request: readonly unknown[],
    signal: AbortSignal | undefined,
    usual: T,
  ): Promise<T> {
    asked.push({ method, caller, request, signal });
    const given = await (fake.answers[method] ?? usual);
    if (given instanceof Error) throw given;
    return given as T;
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
