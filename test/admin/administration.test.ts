// The way of a commit: judged on one snapshot, written at its revision, judged anew where somebody was faster.
import { afterEach, describe, expect, it } from 'vitest';
import type { RequestedChange } from '../../src/admin/api.ts';
import { formatRevision } from '../../src/model/change.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Store } from '../../src/store/store.ts';
import {
  type AdministrationHarness,
  caller,
  type HarnessOptions,
  operator,
  request,
  startAdministration,
} from './harness.ts';

const policy = `
version: 1
roles:
  admin: { permissions: ['*'] }
  portal: { permissions: ['*:impersonate'] }
  reader: { permissions: ['doc:read'] }
bindings:
  - { subject: 'user:ada', role: admin, scope: '*' }
  - { subject: 'service:portal', role: portal, scope: '*' }
`;
const ada = caller('user:ada');
const bindReader = (subject: string): RequestedChange => ({
  op: 'put',
  record: { kind: 'binding', subject, role: 'reader', scope: 'doc:1' },
});

let running: AdministrationHarness | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});
async function start(options: Partial<HarnessOptions> = {}): Promise<AdministrationHarness> {
  running = await startAdministration({ policy, ...options });
  return running;
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error as PosternError).code,
  );

/** A store of which the next commits are overtaken by somebody else's. */
function overtaken(times: number): (store: Store) => Store {
  let left = times;
  return (store) =>
    new Proxy(store, {
      get(target, key) {
        if (key !== 'commit') return Reflect.get(target, key).bind?.(target) ?? Reflect.get(target, key);
        const commit: Store['commit'] = async (tenant, changes, options) => {
          if (left-- > 0) {
            const record = { kind: 'group', group: `group:${left}` } as const;
            await target.commit(tenant, [{ op: 'put', record }]);
          }
          return target.commit(tenant, changes, options);
        };
        return commit;
      },
    });
}

describe('a commit', () => {
  it('is in the snapshot of the same process when it returns', async () => {
    const { administration, replica } = await start();
    const { revision } = await administration.commit(ada, request({ changes: [bindReader('user:bob')] }));
    expect(formatRevision(replica.current?.revision ?? { epoch: '', number: 0 })).toBe(revision);
  });

  it('says who, why, and what was there before', async () => {
    const { administration, store } = await start();
    await administration.commit(ada, request({ changes: [bindReader('user:bob')] }));
    const noted = { kind: 'binding', subject: 'user:bob', role: 'reader', scope: 'doc:1', note: 'n' } as const;
    await administration.commit(
      caller('service:portal'),
      request({ changes: [{ op: 'put', record: noted }], why: 'ticket 7', onBehalfOf: 'user:ada' }),
    );
    const [newest] = await store.changesBefore('default', undefined, 1);
    expect(newest).toMatchObject({ by: 'user:ada', via: 'service:portal', why: 'ticket 7' });
    expect(newest?.changes).toEqual([
      { op: 'put', record: noted, before: { kind: 'binding', subject: 'user:bob', role: 'reader', scope: 'doc:1' } },
    ]);
  });

  it('that changes nothing makes no revision', async () => {
    const { administration } = await start();
    const first = await administration.commit(ada, request({ changes: [bindReader('user:bob')] }));
    const again = await administration.commit(ada, request({ changes: [bindReader('user:bob')] }));
    expect(again).toEqual({ revision: first.revision, changes: [] });
  });

  it('that is overtaken is judged anew on the newer graph', async () => {
    const { administration, replica } = await start({ wrap: overtaken(30) });
    await administration.commit(ada, request({ changes: [bindReader('user:bob')] }));
    expect(replica.current?.revision.number).toBe(32);
  });

  it('that is overtaken too often is a conflict', async () => {
    const { administration } = await start({ wrap: overtaken(1000) });
    expect(await codeOf(administration.commit(ada, request({ changes: [bindReader('user:bob')] })))).toBe(
      'REVISION_CONFLICT',
    );
  });

  it('that expects a revision is not tried on another one', async () => {
    const { administration, replica } = await start({ wrap: overtaken(1) });
    const expected = formatRevision(replica.current?.revision ?? { epoch: '', number: 0 });
    const commit = request({ changes: [bindReader('user:bob')], expected });
    expect(await codeOf(administration.commit(ada, commit))).toBe('REVISION_CONFLICT');
    expect(await codeOf(administration.commit(ada, commit))).toBe('REVISION_CONFLICT');
    expect(replica.current?.counts.bindings).toBe(2);
  });

  it('tried dry says what it would do, and does nothing', async () => {
    const { administration, replica } = await start();
    const before = replica.current;
    const planned = await administration.commit(ada, request({ changes: [bindReader('user:bob')], dryRun: true }));
    expect(planned.changes).toEqual([
      {
        before: undefined,
        after: { kind: 'binding', subject: 'user:bob', role: 'reader', scope: 'doc:1' },
        widens: true,
      },
    ]);
    expect(replica.current).toBe(before);
  });

  it('tells everything that is wrong at once, each with its place', async () => {
    const { administration } = await start();
    const changes: RequestedChange[] = [
      { op: 'put', record: { kind: 'binding', subject: 'user:bob', role: 'raeder', scope: 'doc:1' } },
      { op: 'put', record: { kind: 'role', name: 'a', permissions: [], includes: ['b'] } },
      { op: 'put', record: { kind: 'role', name: 'b', permissions: [], includes: ['a'] } },
      { op: 'create', object: 'doc:2', parents: [{ object: 'folder:gone' }] },
    ];
    const error = await administration.commit(ada, request({ changes })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PosternError);
    expect((error as PosternError).code).toBe('INVALID_CHANGE');
    const fields = (error as PosternError).problems.map(({ field }) => field);
    expect(fields).toContain('changes[0].put.binding.role');
    expect(fields).toContain('changes[3].create');
    expect(fields.some((field) => /^changes\[[12]\]\.put\.role\.includes/.test(field))).toBe(true);
    const messages = (error as PosternError).problems.map(({ message }) => message).join('\n');
    expect(messages).toContain('did you mean "reader"');
  });

  it('of several at once all are made, one after the other', async () => {
    const { administration, replica } = await start();
    const names = Array.from({ length: 20 }, (_, i) => `user:u${i}`);
    await Promise.all(names.map((name) => administration.commit(ada, request({ changes: [bindReader(name)] }))));
    expect(replica.current?.counts.bindings).toBe(22);
    expect(replica.current?.revision.number).toBe(21);
  });

  it('does not go on for a caller who has gone away', async () => {
    const { administration, replica } = await start();
    const signal = AbortSignal.abort();
    expect(await codeOf(administration.commit(ada, request({ changes: [bindReader('user:bob')] }), signal))).toBe(
      'CANCELLED',
    );
    expect(replica.current?.revision.number).toBe(1);
  });

  it('is refused where a policy file is the truth', async () => {
    const { administration } = await start({ readOnly: 'edit policy.yaml' });
    expect(await codeOf(administration.commit(operator, request({ changes: [bindReader('user:bob')] })))).toBe(
      'READ_ONLY',
    );
  });
});

describe('a credential', () => {
  it('for other tenants is refused', async () => {
    const { administration } = await start();
    const other = caller('user:ada', { tenants: ['acme'] });
    expect(await codeOf(administration.commit(other, request({ changes: [bindReader('user:bob')] })))).toBe(
      'NOT_PERMITTED',
    );
    expect(await administration.listTenants(other, '')).toEqual([]);
  });

  it('that may not impersonate acts for nobody else', async () => {
    const { administration } = await start();
    const commit = request({ changes: [bindReader('user:bob')], onBehalfOf: 'user:ada' });
    expect(await codeOf(administration.commit(caller('user:eve'), commit))).toBe('NOT_PERMITTED');
    expect(await codeOf(administration.commit(caller('service:portal'), commit))).toBe('done');
  });

  it('of an operator acts for somebody as that somebody', async () => {
    const { administration } = await start();
    const commit = request({ changes: [bindReader('user:bob')], onBehalfOf: 'user:eve' });
    expect(await codeOf(administration.commit(operator, commit))).toBe('NOT_PERMITTED');
  });

  it.each(['group:ops', 'anonymous', 'user:*', 'nobody'])('acts for one subject, not for %s', async (onBehalfOf) => {
    const { administration } = await start();
    const commit = request({ changes: [bindReader('user:bob')], onBehalfOf });
    expect(await codeOf(administration.commit(operator, commit))).toBe('INVALID_SUBJECT');
  });
});

describe('tenants', () => {
  it('are created by operators, once, and listed to those who may read them', async () => {
    let told = 0;
    const { administration } = await start({ onTenantsChanged: async () => void told++ });
    const create = { tenant: 'acme', changes: [{ op: 'create', object: 'doc:1' }], why: '', dryRun: false } as const;
    expect(await codeOf(administration.createTenant(ada, create))).toBe('NOT_PERMITTED');
    expect(await codeOf(administration.createTenant(operator, { ...create, dryRun: true }))).toBe('done');
    expect(await administration.listTenants(operator, '')).toEqual(['default']);
    expect(await codeOf(administration.createTenant(operator, create))).toBe('done');
    expect(told).toBe(1);
    expect(await codeOf(administration.createTenant(operator, create))).toBe('ALREADY_EXISTS');
    expect(await administration.listTenants(operator, '')).toEqual(['acme', 'default']);
    expect(await administration.listTenants(ada, '')).toEqual(['default']);
    expect(await administration.listTenants(caller('user:eve'), '')).toEqual([]);
  });

  it('that are deleted are gone from the list, and may be created again', async () => {
    const { administration, store } = await start();
    const create = { tenant: 'acme', changes: [{ op: 'create', object: 'doc:1' }], why: '', dryRun: false } as const;
    await administration.createTenant(operator, create);
    expect(await codeOf(administration.deleteTenant(ada, { tenant: 'acme', expected: '', why: '' }))).toBe(
      'NOT_PERMITTED',
    );
    expect(await administration.deleteTenant(operator, { tenant: 'acme', expected: '', why: 'over' })).toMatchObject({
      records: 1,
    });
    expect(await administration.listTenants(operator, '')).toEqual(['default']);
    expect(await codeOf(administration.createTenant(operator, create))).toBe('done');
    expect((await store.head('acme'))?.number).toBe(3);
  });
});
