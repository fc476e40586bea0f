import { fromJson } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { areSeenAlike, findMismatch, formatAttributeType, parseAttributeType } from '../../src/model/attribute-type.ts';
import type { AttributeValue } from '../../src/model/condition.ts';

describe('the type of an attribute', () => {
  it.each(['string', 'bool', 'int', 'double', 'timestamp', 'map', 'dyn', 'list(int)', 'list(list(map))'])(
    '%s is written as it is read',
    (text) => {
      expect(formatAttributeType(parseAttributeType(text))).toBe(text);
    },
  );

  it.each([
    '',
    'text',
    'list',
    'list()',
    'list(string',
    'list( int )',
    'Int',
    'uint',
    `${'list('.repeat(40)}int${')'.repeat(40)}`,
  ])('%j is refused, with the types that there are', (text) => {
    expect(() => parseAttributeType(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_POLICY', message: expect.stringContaining('string, bool, int') }),
    );
  });

  it.each<[string, readonly AttributeValue[], readonly AttributeValue[]]>([
    ['string', ['', 'a'], [1, null, true, ['a'], {}]],
    ['bool', [true, false], ['true', 1, null]],
    ['int', [0, -1, 2 ** 53 - 1, 1e3], [1.5, 2 ** 53, '1', Number.NaN, null]],
    ['double', [0, 1.5, -2], ['1.5', null]],
    ['map', [{}, { a: null }], [[], 'a', null]],
    ['dyn', [null, 1, 'a', [], {}], []],
    ['list(string)', [[], ['a']], ['a', [1], ['a', null], null]],
    ['list(list(int))', [[[]], [[1], [2]]], [[1], [['1']]]],
    [
      'timestamp',
      ['2026-06-01T00:00:00Z', '2024-02-29T23:59:59.123456789+05:30', '0001-01-01T00:00:00Z'],
      [
        0,
        'tomorrow',
        '2026-06-01',
        '2026-06-01T00:00:00',
        '2026-02-30T00:00:00Z',
        '2026-06-01T24:00:00Z',
        '0000-06-01T00:00:00Z',
      ],
    ],
  ])('%s takes %j and not %j', (text, right, wrong) => {
    const type = parseAttributeType(text);
    for (const value of right) {
      expect(findMismatch(value, type)).toBeUndefined();
      if (type === 'timestamp') expect(() => fromJson(TimestampSchema, value as string)).not.toThrow();
    }
    for (const value of wrong) expect(findMismatch(value, type), JSON.stringify(value)).toBeDefined();
  });

  it('tells where in a list a value is wrong', () => {
    expect(findMismatch([[1], [2, 'x']], parseAttributeType('list(list(int))'))).toEqual({
      path: '[1][1]',
      value: 'x',
      type: 'int',
    });
  });

  it('matters to conditions where it makes another value of what was sent', () => {
    expect(areSeenAlike(undefined, 'string')).toBe(true);
    expect(areSeenAlike('double', 'list(map)')).toBe(true);
    expect(areSeenAlike(undefined, 'int')).toBe(false);
    expect(areSeenAlike('list(timestamp)', 'timestamp')).toBe(false);
  });
});
