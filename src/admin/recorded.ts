/**
 * Administration that leaves a record of what it changed, and of what it refused, in the decision log. Wraps the real
 * one; a dry run and a read leave none. A refusal is recorded for tenants that are served here only: nobody may have
 * chains made for names that he thinks up.
 */
import type { Identity } from '../authn/identity.ts';
import { type ChangeEntry, changesOf, type RecordedChange } from '../decision-log/change-entry.ts';
import { toPosternError } from '../model/errors.ts';
import type { Tenants } from '../replica/tenants.ts';
import type { Administration, RecordChange, RequestedChange } from './api.ts';

export interface RecordingOptions {
  readonly tenants: Tenants;
  readonly record: (entry: ChangeEntry) => void;
  readonly nextId: (nowMs: number) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface Asked {
  readonly tenant: string;
  readonly why: string;
  readonly onBehalfOf: string;
  readonly changes: Iterable<RecordedChange>;
}

interface Done {
  readonly revision: string;
  readonly changes: Iterable<RecordedChange>;
}

export function recorded(administration: Administration, options: RecordingOptions): Administration {
  const { tenants, record, nextId, now } = options;

  /** The name of a tenant that is served; undefined where it is none. */
  function servedName(tenant: string): string | undefined {
    if (tenant !== '') return tenants.has(tenant) ? tenant : undefined;
    const { replicas } = tenants;
    return replicas.length === 1 ? replicas[0]?.tenant : undefined;
  }

  async function recording<T>(caller: Identity, asked: Asked, work: () => Promise<T>, doneOf: (result: T) => Done) {
    const note = (tenant: string, error: string, { revision, changes }: Done) => {
      const time = now();
      const { onBehalfOf, why } = asked;
      const by = onBehalfOf === '' ? caller.subject : onBehalfOf;
      const via = onBehalfOf === '' ? '' : caller.subject;
      record({
        source: 'change',
        id: nextId(time),
        time,
        tenant,
        by,
        via,
        why,
        error,
        revision,
        ...changesOf(changes),
      });
    };
    // Before: a tenant that is deleted is not there afterwards, nor is one that is created before.
    const before = servedName(asked.tenant);
    try {
      const result = await work();
      note(before ?? asked.tenant, '', doneOf(result));
      return result;
    } catch (error) {
      if (before !== undefined) note(before, toPosternError(error).code, { revision: '', changes: asked.changes });
      throw error;
    }
  }

  return {
    ...administration,
    commit(caller, request, signal) {
      const work = () => administration.commit(caller, request, signal);
      if (request.dryRun) return work();
      const asked = { ...request, changes: request.changes.map(fromRequested) };
      return recording(caller, asked, work, ({ revision, changes }) => ({ revision, changes: changes.map(fromDone) }));
    },
    createTenant(caller, request) {
      const work = () => administration.createTenant(caller, request);
      if (request.dryRun) return work();
      const asked = { ...request, onBehalfOf: '', changes: request.changes.map(fromRequested) };
      return recording(caller, asked, work, ({ revision, changes }) => ({ revision, changes: changes.map(fromDone) }));
    },
    deleteTenant(caller, request) {
      const changes: RecordedChange[] = [{ op: 'remove', object: `tenant ${request.tenant}` }];
      const asked = { ...request, onBehalfOf: '', changes };
      const work = () => administration.deleteTenant(caller, request);
      return recording(caller, asked, work, ({ revision }) => ({ revision, changes }));
    },
  };
}

function fromDone({ before, after }: RecordChange): RecordedChange {
  return {
    op: after === undefined ? 'delete' : 'put',
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

function fromRequested(change: RequestedChange): RecordedChange {
  switch (change.op) {
    case 'put':
      return { op: 'put', after: change.record };
    case 'delete':
      return { op: 'delete', object: `${change.kind} ${change.key}` };
    default:
      return { op: change.op, object: change.object };
  }
}
