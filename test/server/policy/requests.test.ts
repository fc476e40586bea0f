import { create, fromBinary, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { BindingSchema } from '../../../src/gen/postern/v1/policy_pb.ts';
import { CommitRequestSchema, ListBindingsRequestSchema } from '../../../src/gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { maxChangesPerRequest } from '../../../src/model/limits.ts';
import { toCommitRequest, toInspected, toReadOptions } from '../../../src/server/policy/requests.ts';

function commit(changes: JsonValue[], more: Record<string, JsonValue> = {}) {
  return toCommitRequest(fromJson(CommitRequestSchema, { changes, ...more }));
}

function refusalOf(run: () => unknown): PosternError {
  try {
    run();
  } catch (error) {
    if (error instanceof PosternError) return error;
    throw error;
  }
  return expect.fail('was not refused');
}

/** The fields that are at fault, in the order in which they are told. */
function fieldsOf(changes: JsonValue[]): string[] {
  return refusalOf(() => commit(changes)).problems.map(({ field }) => field);
}

const binding = { subject: 'user:bob', role: 'viewer', scope: 'doc:1' };
const put = (record: JsonValue): JsonValue => ({ put: record });

describe('a commit', () => {
  it('becomes records without a default', () => {
    const request = commit(
      [
        put({ binding: { ...binding, effect: 'EFFECT_ALLOW', name: '', noCascade: false, note: '' } }),
        put({ binding: { ...binding, scope: '{"object":"doc:1"}', expiresAt: '2026-01-01T00:00:00.5Z' } }),
        put({
          role: {
            name: 'r',
            grantAction: 'grant',
            permissions: [{ objects: '{"type":"doc","regex":"a"}', actions: ['x'] }],
          },
        }),
        put({ constraint: { name: 'c', roles: ['a', 'b'], cardinality: 2 } }),
        { delete: { binding: { ...binding, effect: 'EFFECT_DENY', note: 'x'.repeat(9999) } } },
        { create: { object: 'doc:2', parents: [{ object: 'folder:1', noInherit: true }] } },
        { create: { object: 'group:g', description: 'd' } },
        { remove: { object: 'user:bob' } },
      ],
      { tenant: 't', why: 'w', dryRun: true, onBehalfOf: 'user:a', expected: 'e.1', allowNoAdministrator: true },
    );
    expect(request).toStrictEqual({
      tenant: 't',
      why: 'w',
      dryRun: true,
      onBehalfOf: 'user:a',
      expected: 'e.1',
      allowNoAdministrator: true,
      changes: [
        { op: 'put', record: { kind: 'binding', ...binding } },
        { op: 'put', record: { kind: 'binding', ...binding, expiresAt: Date.UTC(2026, 0, 1) + 500 } },
        {
          op: 'put',
          record: {
            kind: 'role',
            name: 'r',
            permissions: [{ objects: { type: 'doc', regex: 'a' }, actions: ['x'] }],
          },
        },
        { op: 'put', record: { kind: 'constraint', name: 'c', roles: ['a', 'b'] } },
        { op: 'delete', kind: 'binding', key: '["user:bob","viewer","doc:1","deny"]' },
        { op: 'create', object: 'doc:2', parents: [{ object: 'folder:1', inherit: false }] },
        { op: 'create', object: 'group:g', description: 'd' },
        { op: 'remove', object: 'user:bob' },
      ],
    });
  });

  it('is refused with everything that is wrong, in all changes and all fields, in the words of the proto', () => {
    const error = refusalOf(() =>
      commit(
        [
          put({
            binding: { subject: 'bob', role: '', scope: '{"objekt":1}', effect: 7, expiresAt: '1969-12-31T23:59:59Z' },
          }),
          {},
          put({}),
          put({
            role: { name: 'r', permissions: [{}, { short: 'doc' }, { objects: 'doc:*', actions: ['a', '\u0007'] }] },
          }),
          { delete: { member: { group: 'g', member: 'user:a' } } },
          { create: { object: 'doc:*', parents: [{ object: 'folder' }, { object: 'folder:1' }, { object: ':' }] } },
          { remove: { object: '' } },
          put({
            hook: {
              type: 'doc',
              grants: [
                { role: 'r', subject: 'bob', scope: '' },
                { group: 'g', member: 'bob' },
              ],
            },
          }),
          put({ constraint: { name: 'c', roles: ['a', ''], cardinality: 1 } }),
          put({ type: { name: 'doc', actions: { names: ['read', ''] } } }),
          put({ settings: {} }),
        ],
        { why: 'x'.repeat(5_000) },
      ),
    );
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.problems.map(({ field }) => field).sort()).toEqual(
      [
        'changes[0].put.binding.effect',
        'changes[0].put.binding.expires_at',
        'changes[0].put.binding.role',
        'changes[0].put.binding.scope.objekt',
        'changes[0].put.binding.subject',
        'changes[1].change',
        'changes[2].put.record',
        'changes[3].put.role.permissions[0]',
        'changes[3].put.role.permissions[1].short',
        'changes[3].put.role.permissions[2].actions[1]',
        'changes[4].delete.member.group',
        'changes[5].create.object',
        'changes[5].create.parents[0].object',
        'changes[5].create.parents[2].object',
        'changes[6].remove.object',
        'changes[7].put.hook.grants[0].subject',
        'changes[7].put.hook.grants[1].group',
        'changes[7].put.hook.grants[1].member',
        'changes[8].put.constraint.cardinality',
        'changes[8].put.constraint.roles[1]',
        'changes[9].put.type.actions.names[1]',
        'changes[10].put.settings.mode',
        'why',
      ].sort(),
    );
    expect(error.metadata.problems).toBe('23');
    expect(error.message).toContain('23 problems');
  });

  it('says of one problem alone what it is, in the message', () => {
    const error = refusalOf(() => commit([put({ binding: { ...binding, subject: 'bob' } })]));
    expect(error.message).toBe('changes[0].put.binding.subject "bob" has no colon; write it as "type:id"');
    expect(error.metadata).toEqual({ field: 'changes[0].put.binding.subject' });
  });

  it.each([
    ['a scope that is no JSON', put({ binding: { ...binding, scope: '{' } }), 'put.binding.scope'],
    ['no scope', put({ binding: { ...binding, scope: '' } }), 'put.binding.scope'],
    [
      'microseconds',
      put({ binding: { ...binding, expiresAt: '2026-01-01T00:00:00.000001Z' } }),
      'put.binding.expires_at',
    ],
    [
      'both forms of a permission',
      put({ role: { name: 'r', permissions: [{ short: 'a:b', actions: ['c'] }] } }),
      'put.role.permissions[0]',
    ],
    [
      'a long permission without actions',
      put({ role: { name: 'r', permissions: [{ objects: 'doc:*' }] } }),
      'put.role.permissions[0].actions',
    ],
    [
      'both forms of a grant',
      put({ hook: { type: 'doc', grants: [{ group: 'created', member: 'creator', role: 'r' }] } }),
      'put.hook.grants[0]',
    ],
    [
      'too many grants',
      put({ hook: { type: 'doc', grants: Array(101).fill({ role: 'r', subject: 'creator' }) } }),
      'put.hook.grants',
    ],
    ['a mode of later', put({ settings: { mode: 9 } }), 'put.settings.mode'],
    [
      'half a character of a scope',
      put({ binding: { ...binding, scope: '{"object":"doc:\\ud800"}' } }),
      'put.binding.scope',
    ],
    ['a description of no group', { create: { object: 'doc:1', description: 'd' } }, 'create.description'],
    ['a bad scope of what is deleted', { delete: { binding: { ...binding, scope: 'doc' } } }, 'delete.binding.scope'],
    [
      'an effect of later of what is deleted',
      { delete: { binding: { ...binding, effect: 5 } } },
      'delete.binding.effect',
    ],
  ] as const)('%s is refused, naming the field', (_what, change, field) => {
    expect(fieldsOf([change as JsonValue])).toEqual([`changes[0].${field}`]);
  });

  it('looks at nothing but the identity of what is deleted', () => {
    const change = { delete: { binding: { ...binding, expiresAt: '1900-01-01T00:00:00Z', condition: '\u0007' } } };
    expect(commit([change]).changes).toEqual([
      { op: 'delete', kind: 'binding', key: '["user:bob","viewer","doc:1","allow"]' },
    ]);
  });

  it('of no change, or of too many, is refused', () => {
    expect(fieldsOf([])).toEqual(['changes']);
    const many = Array.from({ length: maxChangesPerRequest + 1 }, () => ({ remove: { object: 'doc:1' } }));
    expect(refusalOf(() => commit(many))).toMatchObject({ code: 'LIMIT_EXCEEDED', metadata: { limit: '10000' } });
    expect(commit(many.slice(1)).changes).toHaveLength(maxChangesPerRequest);
  });

  it('counts 10,000 problems, and says so where it stopped counting', () => {
    const bad = (count: number) => Array.from({ length: count }, () => ({ short: 'x' }));
    const all = refusalOf(() => commit([put({ role: { name: 'r', permissions: bad(10_000) } })]));
    expect(all.metadata.problems).toBe('10000');
    expect(all.message).toMatch(/^the request has 10000 problems/);
    const some = refusalOf(() => commit([put({ role: { name: 'r', permissions: bad(50_000) } }), {}]));
    expect(some.message).toMatch(/^the request has at least \d{5} problems/);
    expect(Number(some.metadata.problems)).toBeGreaterThan(10_000);
    expect(some.problems).toHaveLength(10_000);
  });
});

describe('a field of a later version', () => {
  const later = (bytes: Uint8Array) => {
    const field = new BinaryWriter().tag(999, WireType.Varint).uint32(1).finish();
    return new Uint8Array([...bytes, ...field]);
  };

  it('of a record is refused: it could be one that narrows', () => {
    const bytes = later(toBinary(BindingSchema, create(BindingSchema, binding)));
    const message = create(CommitRequestSchema, {
      changes: [
        { change: { case: 'put', value: { record: { case: 'binding', value: fromBinary(BindingSchema, bytes) } } } },
      ],
    });
    expect(refusalOf(() => toCommitRequest(message)).problems).toEqual([
      { field: 'changes[0].put.binding', message: expect.stringContaining('field number 999') },
    ]);
  });

  it('of a list is refused: it could be a filter', () => {
    const request = fromBinary(ListBindingsRequestSchema, later(new Uint8Array()));
    const refused = refusalOf(() => toInspected(ListBindingsRequestSchema, request));
    expect(refused.message).toContain('field number 999');
  });
});

describe('the options of a list', () => {
  it('are passed on, and may be absent', () => {
    const none = { tenant: '', page: { size: 0, token: '' }, atLeast: '', onBehalfOf: '' };
    expect(toReadOptions(undefined)).toEqual(none);
    const request = create(ListBindingsRequestSchema, {
      options: { tenant: 't', pageSize: 7, pageToken: 'p', atLeast: 'e.1', onBehalfOf: 'user:a' },
    });
    expect(toReadOptions(request.options)).toEqual({
      tenant: 't',
      page: { size: 7, token: 'p' },
      atLeast: 'e.1',
      onBehalfOf: 'user:a',
    });
  });
});
