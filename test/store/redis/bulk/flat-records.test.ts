// Stored records to a flat graph: the short way over bytes against the way over JSON, on what Postern writes and on
// what anybody may have written.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { graphOptions } from '../../../../src/condition/graph-options.ts';
import { FlatBuilder } from '../../../../src/graph/flat/builder.ts';
import { snapshotOf } from '../../../../src/graph/flat/snapshot-of.ts';
import { recordsOf } from '../../../../src/graph/records.ts';
import { type EntityKind, type EntityRecord, entityKey } from '../../../../src/model/entity.ts';
import { PosternError } from '../../../../src/model/errors.ts';
import { recordsInto } from '../../../../src/store/redis/bulk/flat-records.ts';
import { parseStored } from '../../../../src/store/redis/decode.ts';
import * as reference from '../../../reference/arbitraries.ts';
import { sameRecords } from '../../../reference/runs.ts';
import { seed } from '../../../setup/seed.ts';
import { anyRecord } from '../../records.ts';

interface Stored {
  readonly kind: EntityKind;
  readonly field: Uint8Array;
  readonly value: Uint8Array;
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

function stored(record: EntityRecord): Stored {
  return { kind: record.kind, field: encode(entityKey(record)), value: encode(JSON.stringify(record)) };
}

function viaBytes(all: readonly Stored[]): readonly EntityRecord[] {
  const builder = new FlatBuilder(7);
  for (const { kind, field, value } of all) {
    // As they stand in a reply: other bytes around them.
    const bytes = Buffer.concat([encode('$9\r\n'), field, encode('\r\n$9\r\n'), value, encode('\r\n')]);
    const valueStart = 4 + field.length + 6;
    const put = recordsInto(builder, kind, `postern:{t}:${kind}`, () => {});
    put(bytes, 4, 4 + field.length, valueStart, valueStart + value.length);
  }
  return recordsIn(builder);
}

function viaJson(all: readonly Stored[]): readonly EntityRecord[] {
  const builder = new FlatBuilder(8);
  for (const { kind, field, value } of all) {
    const change = parseStored(kind, decode(field), decode(value), `postern:{t}:${kind}`);
    if (change.op === 'put') builder.put(change.record);
  }
  return recordsIn(builder);
}

function recordsIn(builder: FlatBuilder): readonly EntityRecord[] {
  return [...recordsOf(snapshotOf(builder.finish(), graphOptions, { epoch: 't', number: 1 }))];
}

function outcomeOf(read: () => readonly EntityRecord[]) {
  try {
    return { records: read() };
  } catch (error) {
    if (error instanceof PosternError) return { failed: error.code, message: error.message };
    throw error;
  }
}

function expectAlike(all: readonly Stored[]): void {
  const [bytes, json] = [outcomeOf(() => viaBytes(all)), outcomeOf(() => viaJson(all))];
  if ('records' in bytes && 'records' in json) sameRecords(bytes.records, json.records);
  else expect(bytes).toEqual(json);
}

/** Most of these take the short way. */
const plainRecord: fc.Arbitrary<EntityRecord> = fc
  .record({
    user: fc.stringMatching(/^user:[ -~]{1,8}$/),
    group: fc.stringMatching(/^group:[ -~]{1,8}$/),
    object: fc.stringMatching(/^(doc|a\.b\/c-d_e):[ -~]{1,8}$/),
    role: fc.stringMatching(/^[ -~]{1,8}$/),
    deny: fc.boolean(),
    form: fc.nat(3),
  })
  .map(({ user, group, object, role, deny, form }): EntityRecord => {
    if (form === 0) return { kind: 'member', group, member: user };
    if (form === 1) return { kind: 'object', object };
    if (form === 2) return { kind: 'object', object, parents: [{ object: `folder:${user}` }] };
    return { kind: 'binding', subject: user, role, scope: object, ...(deny ? { effect: 'deny' as const } : {}) };
  });

describe('stored records', () => {
  test('give the same graph by both ways', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(plainRecord, anyRecord, reference.anyRecord), { maxLength: 30 }), (records) => {
        expectAlike(records.map(stored));
      }),
      { seed, numRuns: 500 },
    );
  });

  test('give the same graph, or the same error, where anybody changed a byte', () => {
    const change = fc.record({ inValue: fc.boolean(), at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(
        fc.oneof(plainRecord, anyRecord),
        fc.array(change, { minLength: 1, maxLength: 2 }),
        (record, changes) => {
          const { kind, field, value } = stored(record);
          for (const { inValue, at, byte } of changes) {
            const bytes = inValue ? value : field;
            bytes[at % bytes.length] = byte;
          }
          expectAlike([{ kind, field, value }]);
        },
      ),
      { seed, numRuns: 3_000 },
    );
  });

  test('of one identity count as they came: the last one stands', () => {
    const parents = (...objects: string[]) => ({
      kind: 'object',
      object: 'doc:1',
      parents: objects.map((object) => ({ object })),
    });
    const all = [
      parents('folder:a', 'folder:b'),
      parents('folder:c'),
      parents('folder:b', 'folder:a'),
    ] as EntityRecord[];
    expect(viaBytes(all.map(stored))).toEqual([all[2]]);
    const ending: EntityRecord = { kind: 'member', group: 'group:g', member: 'user:u', expiresAt: 5 };
    const lasting: EntityRecord = { kind: 'member', group: 'group:g', member: 'user:u' };
    expect(viaBytes([ending, lasting].map(stored))).toEqual([lasting]);
    expect(viaBytes([lasting, ending].map(stored))).toEqual([ending]);
  });

  test('hand over every condition, so that it can be compiled', () => {
    const heard: string[] = [];
    const builder = new FlatBuilder(7);
    const { field, value } = stored({ kind: 'binding', subject: 'user:u', role: 'r', scope: '*', condition: 'true' });
    const put = recordsInto(builder, 'binding', 'postern:{t}:binding', (text) => heard.push(text));
    put(Buffer.concat([field, value]), 0, field.length, field.length, field.length + value.length);
    expect(heard).toEqual(['true']);
  });

  test('keep a name apart from the same one behind a byte order mark', () => {
    const role = (name: string): EntityRecord => ({ kind: 'role', name, permissions: ['doc:read'] });
    const bind = (name: string): EntityRecord => ({ kind: 'binding', subject: 'user:u', role: name, scope: 'doc:1' });
    const names = ['viewer', '\ufeffviewer', 'owner', 'guest'];
    const all = [...names.map(role), ...names.map(bind)];
    sameRecords(viaBytes(all.map(stored)), all);
  });
});
