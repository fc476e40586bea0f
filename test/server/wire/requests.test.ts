import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BatchCheckRequestSchema,
  CheckRequestSchema,
  StreamCheckRequestSchema,
} from '../../../src/gen/postern/v1/decision_service_pb.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { maxBatchChecks } from '../../../src/model/limits.ts';
import { toBatchQuestion, toCheckQuestion } from '../../../src/server/decision/request.ts';
import {
  decodeBatchCheckRequest,
  decodeCheckRequest,
  decodeStreamCheckRequest,
} from '../../../src/server/wire/requests.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => value.isWellFormed()),
  fc.constantFrom('', 'user:alice', 'ünï:cödé', 'user:\ufffd', '😀'.repeat(40), 'x'.repeat(300)),
);
const reach = fc.constantFrom(0 as const, 1 as const, 2 as const);
const json = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.string(),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const attributes = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), json, { maxKeys: 3 });
const context = fc.option(
  fc.oneof(
    fc.record({ assertedGroups: fc.array(text, { maxLength: 3 }) }),
    fc.record({ activeRoles: fc.array(text, { maxLength: 3 }) }),
    fc.record({
      assertedGroups: fc.array(text, { maxLength: 3 }),
      activeRoles: fc.array(text, { maxLength: 3 }),
      attributes,
    }),
  ),
  { nil: undefined },
);
const item = fc.record({ subject: text, action: text, object: text, reach, context });
const check = fc.record({ subject: text, action: text, object: text, tenant: text, reach, context, atLeast: text });
const batch = fc.record({
  checks: fc.array(item, { minLength: 1, maxLength: 5 }),
  tenant: text,
  mode: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  atLeast: text,
});
const id = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

/** Fields that no version of these messages has, of every wire type. */
const unknownField = fc
  .tuple(fc.integer({ min: 100, max: 100_000 }), fc.constantFrom('varint', 'fixed64', 'bytes', 'group', 'fixed32'), id)
  .map(([number, type, value]) => {
    const writer = new BinaryWriter();
    switch (type) {
      case 'varint':
        writer.tag(number, WireType.Varint).uint64(value);
        break;
      case 'fixed64':
        writer.tag(number, WireType.Bit64).fixed64(value);
        break;
      case 'bytes':
        writer.tag(number, WireType.LengthDelimited).bytes(new Uint8Array(Number(value % 200n)).fill(0xff));
        break;
      case 'group':
        writer.tag(number, WireType.StartGroup).tag(7, WireType.StartGroup).tag(7, WireType.EndGroup);
        writer.tag(3, WireType.LengthDelimited).string('inside').tag(number, WireType.EndGroup);
        break;
      default:
        writer.tag(number, WireType.Bit32).fixed32(Number(value & 0xffffffffn));
    }
    return writer.finish();
  });
/** Encoded messages one after the other are one message, merged; fields that nobody knows may stand anywhere. */
const pieces = <T>(message: fc.Arbitrary<T>) =>
  fc.array(fc.oneof({ weight: 7, arbitrary: message }, { weight: 1, arbitrary: unknownField }), {
    minLength: 1,
    maxLength: 4,
  });

/** What comes out, or the code of what is refused. */
function outcomeOf(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    return (error as PosternError).code;
  }
}

describe('the codecs of requests and protobuf-es read the same bytes alike', () => {
  it('CheckRequest', () => {
    const bytes = check.map((message) => toBinary(CheckRequestSchema, create(CheckRequestSchema, message)));
    fc.assert(
      fc.property(pieces(bytes), (parts) => {
        const whole = Buffer.concat(parts);
        expect(outcomeOf(() => decodeCheckRequest(whole))).toEqual(
          outcomeOf(() => toCheckQuestion(fromBinary(CheckRequestSchema, whole))),
        );
      }),
    );
  });

  it('BatchCheckRequest', () => {
    const bytes = batch.map((message) => toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, message)));
    fc.assert(
      fc.property(bytes, pieces(bytes), (first, parts) => {
        const whole = Buffer.concat([first, ...parts]);
        expect(outcomeOf(() => decodeBatchCheckRequest(whole))).toEqual(
          outcomeOf(() => toBatchQuestion(fromBinary(BatchCheckRequestSchema, whole))),
        );
      }),
    );
  });

  it('StreamCheckRequest', () => {
    const message = fc.record({ id, check: fc.option(check, { nil: undefined }) });
    const bytes = message.map((value) => toBinary(StreamCheckRequestSchema, create(StreamCheckRequestSchema, value)));
    fc.assert(
      fc.property(pieces(bytes), (parts) => {
        const whole = Buffer.concat(parts);
        const expected = fromBinary(StreamCheckRequestSchema, whole);
        const { idLow, idHigh, question, problem } = decodeStreamCheckRequest(whole);
        expect((BigInt(idHigh) << 32n) | BigInt(idLow)).toBe(expected.id);
        const isKnown = expected.$unknown === undefined && expected.check?.$unknown === undefined;
        expect(problem?.code).toBe(isKnown ? undefined : 'INVALID_REQUEST');
        if (isKnown) expect(question).toEqual(expected.check && toCheckQuestion(expected.check));
      }),
    );
  });
});

describe('a field that this version does not know is refused, wherever it stands', () => {
  // Field 99, of one byte.
  const unknown = '9a060100';
  const places: readonly (readonly [where: string, field: string, hex: string])[] = [
    ['the request', '', unknown],
    ['its context', 'context', `3204${unknown}`],
  ];

  it.each(places)('in %s', (_where, field, hex) => {
    const whole = Buffer.from(hex, 'hex');
    const refusal = expect.objectContaining({ code: 'INVALID_REQUEST', metadata: { field } });
    expect(() => decodeCheckRequest(whole)).toThrow(refusal);
    expect(() => toCheckQuestion(fromBinary(CheckRequestSchema, whole))).toThrow(refusal);
  });

  it('in an item of a batch', () => {
    const whole = Buffer.from(`0a04${unknown}`, 'hex');
    const refusal = expect.objectContaining({ code: 'INVALID_REQUEST', metadata: { field: 'checks[0]' } });
    expect(() => decodeBatchCheckRequest(whole)).toThrow(refusal);
    expect(() => toBatchQuestion(fromBinary(BatchCheckRequestSchema, whole))).toThrow(refusal);
  });
});

describe('bytes that are no message', () => {
  const decoders = [
    ['CheckRequest', decodeCheckRequest],
    ['BatchCheckRequest', decodeBatchCheckRequest],
    ['StreamCheckRequest', decodeStreamCheckRequest],
  ] as const;

  it.each(decoders)('are refused as %s with an error of the catalogue, whatever they are', (_name, decode) => {
    const start = fc
      .oneof(check, batch)
      .map((message) =>
        'checks' in message
          ? toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, message))
          : toBinary(CheckRequestSchema, create(CheckRequestSchema, message)),
      );
    const damaged = fc
      .tuple(start, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }), fc.nat())
      .map(([bytes, changes, cut]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
        return copy.subarray(0, cut % (copy.length + 1));
      });
    const anything = fc.oneof(
      damaged,
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(PosternError);
          expect((error as PosternError).code).toMatch(/^(INVALID_REQUEST|INVALID_CONTEXT|TOO_MANY_CHECKS)$/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('names the item whose attributes are no JSON object', () => {
    // A subject, and a context whose attributes have a field number that does not exist.
    const item = '0a06757365723a612a041202000e';
    const bytes = Buffer.from(`0a${(item.length / 2).toString(16).padStart(2, '0')}${item}`, 'hex');
    expect(() => decodeBatchCheckRequest(bytes)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTEXT', metadata: { field: 'checks[0].context.attributes' } }),
    );
  });

  it.each([
    ['a string that is not UTF-8', '0a02c328', /not UTF-8, at byte 2/],
    ['a string that is longer than the message', '0a05616263', /longer than what is left/],
    ['a length of more than 32 bits', '0affffffff1f61', /longer than what is left/],
    ['a tag without a number', '00', /no legal number/],
    ['a number that does not end', '28ffffff', /ends inside a number/],
    ['a number of 11 bytes', `28${'ff'.repeat(10)}01`, /longer than 10 bytes/],
    ['a wire type that does not exist', '0f', /wire type/],
    ['an end of a group that did not begin', '0c', /wire type/],
    ['a group that ends another one', '6b74', /did not begin/],
    ['groups nested without end', '6b'.repeat(200), /nested too deep/],
    ['a field that is cut off', '6d0102', /ends inside a field/],
    ['an inner message that runs into the outer one', '32020a051801', /longer than what is left/],
  ])('%s is refused, saying where', (_what, hex, message) => {
    expect(() => decodeCheckRequest(Buffer.from(hex, 'hex'))).toThrow(message);
  });

  it('a real replacement character is no reason to refuse a string', () => {
    const bytes = Buffer.from(toBinary(CheckRequestSchema, create(CheckRequestSchema, { subject: 'user:\ufffd' })));
    expect(decodeCheckRequest(bytes).query.subject).toBe('user:\ufffd');
  });
});

describe('values that read well and mean nothing', () => {
  it('an unknown reach is refused, naming the field', () => {
    const bytes = toBinary(CheckRequestSchema, create(CheckRequestSchema, { reach: 9 as 0 }));
    expect(() => decodeCheckRequest(Buffer.from(bytes))).toThrow(/^reach is 9/);
    const items = [{}, { reach: -1 as 0 }];
    const inBatch = toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, { checks: items }));
    expect(() => decodeBatchCheckRequest(Buffer.from(inBatch))).toThrow(/^checks\[1\]\.reach is -1/);
  });

  it('an unknown batch mode is refused', () => {
    const bytes = toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, { checks: [{}], mode: 4 as 0 }));
    expect(() => decodeBatchCheckRequest(Buffer.from(bytes))).toThrow(/^mode is 4/);
  });

  it('in a stream the problem comes with the id, so that it can be answered', () => {
    const message = create(StreamCheckRequestSchema, { id: 7n, check: { reach: 9 as 0 } });
    const { idLow, problem } = decodeStreamCheckRequest(Buffer.from(toBinary(StreamCheckRequestSchema, message)));
    expect(idLow).toBe(7);
    expect(problem?.metadata).toEqual({ field: 'check.reach' });
  });

  it.each([
    [0, 'INVALID_REQUEST'],
    [maxBatchChecks + 1, 'TOO_MANY_CHECKS'],
  ])('a batch of %i is refused', (count, code) => {
    const checks = Array.from({ length: count }, () => ({}));
    const bytes = toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, { checks }));
    expect(() => decodeBatchCheckRequest(Buffer.from(bytes))).toThrow(
      expect.objectContaining({ code, metadata: expect.objectContaining({ field: 'checks' }) }),
    );
  });
});
