import { mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Change } from '../../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../../src/model/entity.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { createMemoryStore } from '../../../src/store/memory/memory-store.ts';
import { followPolicyFile, type PolicySource } from '../../../src/store/memory/policy-source.ts';
import type { Store } from '../../../src/store/store.ts';

const tenant = 'default';
const policy = (...roles: string[]) =>
  `version: 1\nroles:\n${roles.map((name) => `  ${name}: { permissions: ['doc:${name}'] }\n`).join('')}`;

let directory = '';
let path = '';
let store: Store;
let source: PolicySource | undefined;
const onApplied = vi.fn();
const onProblem = vi.fn();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-source-'));
  path = join(directory, 'policy.yaml');
  store = createMemoryStore();
  onApplied.mockClear();
  onProblem.mockClear();
});
afterEach(async () => {
  await source?.close();
  source = undefined;
  await store.close();
  await rm(directory, { recursive: true });
});

async function follow(text: string, into: Store = store): Promise<void> {
  await writeFile(path, text);
  source = await followPolicyFile({ path, store: into, tenant, onApplied, onProblem, watch: { debounceMs: 5 } });
}

async function save(text: string): Promise<void> {
  await writeFile(join(directory, 'policy.yaml.new'), text);
  await rename(join(directory, 'policy.yaml.new'), path);
}

/** Names of the roles that the store holds. */
async function rolesOf(from: Store): Promise<string[]> {
  const records: EntityRecord[] = [];
  await from.load(tenant, (changes: readonly Change[]) => {
    for (const change of changes) if (change.op === 'put') records.push(change.record);
  });
  return records
    .filter((record) => record.kind === 'role')
    .map(entityKey)
    .sort();
}

describe('the first load', () => {
  test('is committed before it returns', async () => {
    await follow(policy('viewer', 'editor'));
    expect(await rolesOf(store)).toEqual(['editor', 'viewer']);
    expect(onApplied).toHaveBeenCalledTimes(1);
    expect(onApplied).toHaveBeenCalledWith({
      revision: await store.head(tenant),
      records: 2,
      changes: 2,
      warnings: [],
    });
  });

  test('rejects where the policy is not valid, with the place, and writes nothing', async () => {
    const first = follow('version: 1\nmode: of\n');
    await expect(first).rejects.toThrow(PosternError);
    await expect(first).rejects.toThrow(/policy\.yaml:2:7: "mode" must be/);
    await expect(first).rejects.toMatchObject({ code: 'INVALID_POLICY', metadata: { file: path, problems: '1' } });
    expect(await store.head(tenant)).toBeUndefined();
  });

  test('rejects where there is no file, and no directory', async () => {
    const options = { store, tenant, onApplied, onProblem };
    await expect(followPolicyFile({ ...options, path })).rejects.toThrow(/there is no such file/);
    const nowhere = join(directory, 'none', 'policy.yaml');
    await expect(followPolicyFile({ ...options, path: nowhere })).rejects.toThrow(/there is no such file/);
  });

  test('makes the tenant known even where the policy is empty', async () => {
    await follow('version: 1');
    expect(await store.tenants()).toEqual([tenant]);
  });

  test('replaces what the store held, and commits nothing where that is the same', async () => {
    const record: EntityRecord = { kind: 'role', name: 'viewer', permissions: ['doc:viewer'] };
    const old: EntityRecord = { kind: 'role', name: 'old', permissions: [] };
    await store.commit(tenant, [{ op: 'put', record: old }]);
    await store.commit(tenant, [
      { op: 'delete', kind: 'role', key: 'old' },
      { op: 'put', record },
    ]);
    const head = await store.head(tenant);
    await follow(policy('viewer'));
    expect(await store.head(tenant)).toEqual(head);
    expect(onApplied).not.toHaveBeenCalled();
  });
});

describe('an edit', () => {
  test('is committed as the difference, and the history says why', async () => {
    await follow(policy('viewer', 'editor'));
    const before = await store.head(tenant);
    await save(policy('viewer', 'admin'));
    await vi.waitFor(() => expect(onApplied).toHaveBeenCalledTimes(2));
    expect(before && (await store.changesSince(tenant, before, 10))).toMatchObject([
      {
        changes: [
          { op: 'delete', kind: 'role', key: 'editor' },
          { op: 'put', record: { name: 'admin' } },
        ],
        by: 'policy file',
        why: 'file changed',
      },
    ]);
  });

  test('that breaks the policy is told, and the last good one stays until it is mended', async () => {
    await follow(policy('viewer'));
    await save(`${policy('viewer')}bindings: [{ subject: 'user:a', role: veiwer, scope: '*' }]\n`);
    await vi.waitFor(() => expect(onProblem).toHaveBeenCalledTimes(1));
    expect(onProblem.mock.calls[0]?.[0]).toMatchObject({
      message: expect.stringContaining(`${path}:4:39: unknown role "veiwer" (did you mean "viewer"?)`),
      problems: [{ line: 4, column: 39 }],
    });
    expect(await rolesOf(store)).toEqual(['viewer']);
    await save(policy('viewer', 'editor'));
    await vi.waitFor(() => expect(onApplied).toHaveBeenCalledTimes(2));
    expect(await rolesOf(store)).toEqual(['editor', 'viewer']);
  });

  test('that removes the file is told, and changes nothing', async () => {
    await follow(policy('viewer'));
    await unlink(path);
    await vi.waitFor(() => expect(onProblem).toHaveBeenCalled());
    expect(await rolesOf(store)).toEqual(['viewer']);
  });

  test('that leaves no binding, as a file that was cut short does, is refused; a start with it is not', async () => {
    const bound = `${policy('read')}bindings:\n  - { subject: 'user:a', role: read, scope: '*' }\n`;
    await follow(bound);
    await save('version: 1\n');
    await vi.waitFor(() => expect(onProblem).toHaveBeenCalledTimes(1));
    expect(onProblem.mock.calls[0]?.[0].message).toContain('has no bindings any more');
    expect(await rolesOf(store)).toEqual(['read']);
    await source?.close();
    await follow('version: 1\n');
    expect(await rolesOf(store)).toEqual([]);
  });

  test('that comes while another is applied is not lost', async () => {
    await follow(policy('a0'));
    for (let i = 1; i <= 20; i++) await save(policy(`a${i}`));
    await vi.waitFor(async () => expect(await rolesOf(store)).toEqual(['a20']));
    expect(onProblem).not.toHaveBeenCalled();
  });

  test('is applied to what another writer has made of the graph meanwhile', async () => {
    await follow(policy('viewer'));
    await store.commit(tenant, [{ op: 'put', record: { kind: 'role', name: 'foreign', permissions: [] } }]);
    await save(policy('viewer', 'editor'));
    await vi.waitFor(async () => expect(await rolesOf(store)).toEqual(['editor', 'viewer']));
  });

  test('that the store does not take is told, and tried again at the next', async () => {
    let failing = false;
    const shaky: Store = Object.create(store, {
      commit: {
        value: async (...args: Parameters<Store['commit']>) => {
          if (failing) throw new PosternError('STORE_UNAVAILABLE', 'the store is away');
          return store.commit(...args);
        },
      },
      load: { value: (...args: Parameters<Store['load']>) => store.load(...args) },
    });
    await follow(policy('viewer'), shaky);
    failing = true;
    await save(policy('editor'));
    await vi.waitFor(() => expect(onProblem).toHaveBeenCalled());
    expect(onProblem.mock.calls[0]?.[0]).toEqual({
      message: `${path}: the policy is valid, but was not committed: the store is away`,
      problems: [],
    });
    failing = false;
    await save(policy('editor'));
    await vi.waitFor(async () => expect(await rolesOf(store)).toEqual(['editor']));
  });
});

test('closed, it follows no more, and the store keeps the policy', async () => {
  await follow(policy('viewer'));
  await Promise.all([source?.close(), source?.close()]);
  await save(policy('editor'));
  const other = vi.fn();
  source = await followPolicyFile({
    path,
    store,
    tenant: 'other',
    onApplied: other,
    onProblem,
    watch: { debounceMs: 5 },
  });
  await save(policy('admin'));
  await vi.waitFor(() => expect(other).toHaveBeenCalledTimes(2));
  expect(await rolesOf(store)).toEqual(['viewer']);
});
