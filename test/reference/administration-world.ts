/** A tenant with its administration over a memory store, and a clock that the test sets: one for each history. */
import { createAdministration } from '../../src/admin/administration.ts';
import type { Administration, CommitRequest, CommitResult, RequestedChange } from '../../src/admin/api.ts';
import type { Identity } from '../../src/authn/identity.ts';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { type Change, type ChangeSet, formatRevision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';
import { start } from './administration-universe.ts';
import { applyPlainly } from './arbitraries.ts';

export const tenant = 'default';

export interface World {
  readonly administration: Administration;
  /** Milliseconds since 1970. */
  now(): number;
  wait(ms: number): void;
  /** What the store holds, and at which revision. */
  read(): Promise<{ readonly records: readonly EntityRecord[]; readonly revision: string }>;
  /** Every change set, oldest first, as an operator lists them. */
  history(): Promise<readonly ChangeSet[]>;
  close(): Promise<void>;
}

export const operator = identityOf('service:operator', true);

export function identityOf(subject: string, isOperator = false): Identity {
  return { subject, operator: isOperator, tenants: undefined, how: 'token' };
}

export function requestOf(changes: readonly RequestedChange[], more: Partial<CommitRequest> = {}): CommitRequest {
  return {
    tenant,
    changes,
    expected: '',
    why: '',
    dryRun: false,
    onBehalfOf: '',
    allowNoAdministrator: false,
    ...more,
  };
}

/** What became of a commit: its result, or the error that it was refused with. Anything else is thrown. */
export async function outcomeOf(commit: () => Promise<CommitResult>): Promise<CommitResult | PosternError> {
  try {
    return await commit();
  } catch (error) {
    if (error instanceof PosternError && error.code !== 'INTERNAL') return error;
    throw error;
  }
}

/** @throws PosternError where an operator may not write these records: they are not a valid graph */
export async function createWorld(records: readonly EntityRecord[]): Promise<World> {
  let now = start;
  const clock = () => now;
  const store = createMemoryStore({ now: clock });
  const tenants = new Tenants();
  const administration = createAdministration({
    tenants,
    store,
    readOnly: undefined,
    graph: graphOptions,
    suggest: () => undefined,
    now: clock,
    onTenantsChanged: async () => {},
  });
  const put = records.map((record): RequestedChange => ({ op: 'put', record }));
  await administration.createTenant(operator, { tenant, changes: put, why: 'the beginning', dryRun: false });
  const replica = createQuietReplica(store, tenant, clock);
  const first = new Promise<void>((resolve) => replica.onSnapshot(() => resolve()));
  tenants.add(replica);
  await first;
  return {
    administration,
    now: clock,
    wait(ms) {
      now += ms;
    },
    async read() {
      const changes: Change[] = [];
      const revision = await store.load(tenant, (batch) => {
        changes.push(...batch);
      });
      return { records: applyPlainly([], changes), revision: formatRevision(revision) };
    },
    async history() {
      const all: ChangeSet[] = [];
      for (let token = ''; ; ) {
        const read = { tenant, page: { size: 7, token }, atLeast: '', onBehalfOf: '' };
        const filter = { by: '', subject: '', role: '', object: '' };
        const page = await administration.listChangeSets(operator, read, filter);
        all.push(...page.items);
        token = page.nextPageToken;
        if (token === '') return all.reverse();
      }
    },
    async close() {
      await replica.close();
      await store.close();
    },
  };
}
