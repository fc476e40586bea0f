import { create, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Change,
  ChangeSchema,
  ChangeSetSchema,
  RecordSchema,
  type RecordSchema as RecordSchemaType,
} from '../../../src/gen/postern/v1/policy_pb.ts';
import { type EntityRecord, entityKey, entityKinds } from '../../../src/model/entity.ts';
import { parseRecord } from '../../../src/model/parse-record.ts';
import { toChanges, toRecord } from '../../../src/server/policy/changes.ts';
import { fromChangeSet } from '../../../src/server/policy/history.ts';
import { createProblems } from '../../../src/server/policy/problems.ts';
import { fromRecord } from '../../../src/server/policy/records.ts';
import { anyRecords } from './arbitraries.ts';

type Message = ReturnType<typeof create<typeof RecordSchemaType>>;

/** A record as the other side reads it. */
const carriers: readonly (readonly [name: string, carry: (message: Message) => Message])[] = [
  ['binary', (message) => fromBinary(RecordSchema, toBinary(RecordSchema, message))],
  ['JSON', (message) => fromJson(RecordSchema, JSON.parse(JSON.stringify(toJson(RecordSchema, message))))],
  [
    'JSON that holds every field',
    (message) => fromJson(RecordSchema, toJson(RecordSchema, message, { alwaysEmitImplicit: true })),
  ],
];

describe('a record', () => {
  it.each(carriers)('is the same, byte for byte, after its way through %s', (_name, carry) => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(anyRecords, (records) => {
        for (const record of records) {
          const problems = createProblems();
          const back = toRecord(carry(create(RecordSchema, fromRecord(record))), 'record', problems);
          expect(problems.kept).toEqual([]);
          expect(JSON.stringify(back)).toBe(JSON.stringify(parseRecord(record, 'test')));
          kinds.add(record.kind);
        }
      }),
      { numRuns: 200 },
    );
    expect([...kinds].sort()).toEqual([...entityKinds].sort());
  });

  it('is deleted by its identity, whatever else the message says', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const messages = records.map((record) => create(ChangeSchema, deletionOf(record)));
        const problems = createProblems();
        const changes = toChanges(messages.slice(0, 100), problems);
        expect(problems.kept.filter(({ field }) => field !== 'changes')).toEqual([]);
        const expected = records.slice(0, 100).map((record) => {
          return { op: 'delete', kind: record.kind, key: entityKey(record) };
        });
        expect(changes).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('of history that was deleted has its identity, even where nothing was kept of it', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const changes = records.map((record) => {
          return { op: 'delete', kind: record.kind, key: entityKey(record) } as const;
        });
        const message = create(ChangeSetSchema, fromChangeSet({ revision: { epoch: 'e', number: 1 }, changes, at: 0 }));
        const keys = message.changes.map(({ before }) => {
          const record = toRecord(before ?? create(RecordSchema), 'before', createProblems());
          return record === undefined ? undefined : [record.kind, entityKey(record)];
        });
        expect(keys).toEqual(changes.map(({ kind, key }) => [kind, key]));
      }),
      { numRuns: 50 },
    );
  });
});

function deletionOf(record: EntityRecord): { change: Change['change'] } {
  return { change: { case: 'delete', value: create(RecordSchema, fromRecord(record)) } };
}

describe('a change set of history', () => {
  const bob = { kind: 'binding', subject: 'user:bob', role: 'viewer', scope: 'doc:1' } as const;
  const deny = { ...bob, effect: 'deny' } as const;
  const role = { kind: 'role', name: 'viewer', permissions: ['doc:read'] } as const;
  const put = (record: EntityRecord, before?: EntityRecord) => {
    return before === undefined ? ({ op: 'put', record } as const) : ({ op: 'put', record, before } as const);
  };
  const gone = (before: EntityRecord) => {
    return { op: 'delete', kind: before.kind, key: entityKey(before), before } as const;
  };

  it.each([
    ['a new binding', put(bob), '+ binding user:bob viewer on doc:1', true],
    ['a binding that is gone', gone(bob), '- binding user:bob viewer on doc:1', false],
    ['a new denial', put(deny), '+ deny binding user:bob viewer on doc:1', false],
    ['a denial that is gone', gone(deny), '- deny binding user:bob viewer on doc:1', true],
    ['a note', put({ ...bob, note: 'n' }, bob), '~ binding user:bob viewer on doc:1: note none -> n', false],
    [
      'a permission',
      put({ ...role, permissions: ['doc:*'] }, role),
      '~ role viewer: permissions +doc:* -doc:read',
      true,
    ],
    ['a description', put({ ...role, description: 'd' }, role), '~ role viewer: description none -> d', false],
    ['nothing', put(role, role), '~ role viewer: no change', false],
    ['an int attribute', put({ kind: 'attribute', name: 'level', type: 'int' }), '+ attribute level, int', true],
    ['a text attribute', put({ kind: 'attribute', name: 'net', type: 'string' }), '+ attribute net, string', false],
    ['an attribute that goes', { op: 'delete', kind: 'attribute', key: 'net' }, '- attribute net', false],
  ] as const)('says of %s what it did, and whether it may widen', (_what, change, summary, widens) => {
    const revision = { epoch: 'e1', number: 7 };
    const message = fromChangeSet({ revision, changes: [change], at: 1_500, by: 'user:a', via: 'user:b', why: 'w' });
    expect(message).toMatchObject({
      revision: 'e1.7',
      at: { seconds: 1n, nanos: 500_000_000 },
      by: 'user:a',
      via: 'user:b',
      why: 'w',
      changes: [{ summary, widens }],
    });
  });
});
