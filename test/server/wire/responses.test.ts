import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatusSchema } from '../../../src/gen/google/rpc/status_pb.ts';
import { ModeSchema, ReasonSchema } from '../../../src/gen/postern/v1/decision_pb.ts';
import {
  BatchCheckResponseSchema,
  CheckResponseSchema,
  ListObjectsResponseSchema,
  StreamCheckResponseSchema,
} from '../../../src/gen/postern/v1/decision_service_pb.ts';
import type { Mode } from '../../../src/model/entity.ts';
import type { Decision, Reason } from '../../../src/model/query.ts';
import { fromBatchAnswer, fromCheckAnswer, fromObjectsPart } from '../../../src/server/decision/response.ts';
import type { CheckAnswer, ObjectsPart } from '../../../src/server/question.ts';
import { modeNumbers, reasonNumbers } from '../../../src/server/wire/enums.ts';
import {
  encodeBatchCheckResponse,
  encodeCheckResponse,
  encodeListObjectsResponse,
  encodeStreamCheckResponse,
} from '../../../src/server/wire/responses.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).filter((value) => value.isWellFormed()),
  // Lengths around the sizes at which a length prefix grows by a byte.
  fc.integer({ min: 80, max: 140 }).map((length) => 'a'.repeat(length)),
  fc.integer({ min: 30, max: 140 }).map((length) => '\u20ac'.repeat(length)),
  fc.integer({ min: 16_300, max: 16_400 }).map((length) => 'é'.repeat(length)),
);
const mode = fc.constantFrom(...(Object.keys(modeNumbers) as Mode[]));
const decision: fc.Arbitrary<Decision> = fc.record({
  allowed: fc.boolean(),
  reason: fc.constantFrom(...(Object.keys(reasonNumbers) as Reason[])),
  binding: text,
  decisionId: text,
  enforcedAllowed: fc.boolean(),
  mode,
});
const dataAgeMs = fc.oneof(fc.constantFrom(0, 127, 128, 0x7fffffff), fc.integer({ min: 0, max: 0x7fffffff }));
const answer: fc.Arbitrary<CheckAnswer> = fc.record({ decision, revision: text, mode, dataAgeMs });
const part: fc.Arbitrary<ObjectsPart> = fc.record({
  objects: fc.array(text),
  scopes: fc.array(text),
  decisionId: text,
  revision: text,
  mode: fc.option(mode, { nil: undefined }),
  nextPageToken: text,
  dataAgeMs,
});

describe('the codecs of answers write what protobuf-es writes', () => {
  it('CheckResponse', () => {
    fc.assert(
      fc.property(answer, (value) => {
        const expected = toBinary(CheckResponseSchema, create(CheckResponseSchema, fromCheckAnswer(value)));
        expect(encodeCheckResponse(value).equals(expected)).toBe(true);
      }),
    );
  });

  it('BatchCheckResponse', () => {
    const batch = fc.record({ decisions: fc.array(decision), allowed: fc.boolean(), revision: text, mode, dataAgeMs });
    fc.assert(
      fc.property(batch, (value) => {
        const expected = toBinary(BatchCheckResponseSchema, create(BatchCheckResponseSchema, fromBatchAnswer(value)));
        expect(encodeBatchCheckResponse(value).equals(expected)).toBe(true);
      }),
    );
  });

  it('StreamCheckResponse with an answer', () => {
    const half = fc.integer({ min: 0, max: 0xffffffff });
    const edge = fc.constantFrom(0, 1, 127, 128, 0x7fffffff, 0x80000000, 0xffffffff);
    fc.assert(
      fc.property(answer, fc.oneof(half, edge), fc.oneof(half, edge), (value, idLow, idHigh) => {
        const message = create(StreamCheckResponseSchema, {
          id: (BigInt(idHigh) << 32n) | BigInt(idLow),
          result: { case: 'check', value: fromCheckAnswer(value) },
        });
        const bytes = encodeStreamCheckResponse({ idLow, idHigh, answer: value, error: undefined });
        expect(bytes.equals(toBinary(StreamCheckResponseSchema, message))).toBe(true);
      }),
    );
  });

  it('StreamCheckResponse with an error', () => {
    const status = create(StatusSchema, { code: 3, message: 'x'.repeat(200) });
    const error = toBinary(StatusSchema, status);
    const bytes = encodeStreamCheckResponse({ idLow: 5, idHigh: 0, answer: undefined, error });
    const message = fromBinary(StreamCheckResponseSchema, bytes);
    expect(message).toEqual(create(StreamCheckResponseSchema, { id: 5n, result: { case: 'error', value: status } }));
  });

  it('ListObjectsResponse', () => {
    fc.assert(
      fc.property(part, (value) => {
        const expected = toBinary(ListObjectsResponseSchema, create(ListObjectsResponseSchema, fromObjectsPart(value)));
        expect(encodeListObjectsResponse(value).equals(expected)).toBe(true);
      }),
    );
  });
});

describe('the numbers of enums are those of the proto', () => {
  it.each([
    ['Mode', ModeSchema, modeNumbers, 'MODE_'],
    ['Reason', ReasonSchema, reasonNumbers, 'REASON_'],
  ] as const)('%s', (_name, schema, numbers, prefix) => {
    const expected = schema.values.filter((value) => value.number !== 0).map((value) => [value.name, value.number]);
    const actual = Object.entries(numbers).map(([name, number]) => [`${prefix}${name.toUpperCase()}`, number]);
    expect(actual).toEqual(expected);
  });
});

it('a very large answer does not keep its buffer, and the next one is right', () => {
  const big: Decision = {
    allowed: true,
    reason: 'ALLOWED',
    binding: 'b'.repeat(5_000_000),
    decisionId: 'id',
    enforcedAllowed: true,
    mode: 'enforce',
  };
  const value = { decision: big, revision: 'e.1', mode: 'enforce', dataAgeMs: 0 } as const;
  expect(fromBinary(CheckResponseSchema, encodeCheckResponse(value)).decision?.binding).toHaveLength(5_000_000);
  const small = { ...value, decision: { ...big, binding: 'b' } };
  expect(fromBinary(CheckResponseSchema, encodeCheckResponse(small)).decision?.binding).toBe('b');
});
