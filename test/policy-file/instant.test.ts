import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInstant, parseInstant } from '../../src/policy-file/instant.ts';

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['2027-01-01T00:00:00Z', Date.UTC(2027, 0, 1)],
  ['2027-01-01t00:00:00z', Date.UTC(2027, 0, 1)],
  ['2027-01-01 00:00:00Z', Date.UTC(2027, 0, 1)],
  ['2027-01-01T00:00:00.1239Z', Date.UTC(2027, 0, 1, 0, 0, 0, 123)],
  ['2027-01-01T00:00:00+02:30', Date.UTC(2026, 11, 31, 21, 30)],
  ['2027-01-01T00:00:00-02:30', Date.UTC(2027, 0, 1, 2, 30)],
  ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
])('%s is an instant', (text, ms) => {
  expect(parseInstant(text)).toBe(ms);
});

test.each([
  '',
  '2027-01-01',
  '2027-01-01T00:00Z',
  '2027-01-01T00:00:00',
  '2027-02-29T00:00:00Z',
  '2027-13-01T00:00:00Z',
  '2027-00-01T00:00:00Z',
  '2027-01-00T00:00:00Z',
  '2027-01-01T24:00:00Z',
  '2027-01-01T00:60:00Z',
  '2027-01-01T00:00:60Z',
  '2027-01-01T00:00:00+24:00',
  '2027-01-01T00:00:00+0100',
  '+12027-01-01T00:00:00Z',
])('%j is none', (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

test('what is printed is read back', () => {
  const instant = fc.integer({ min: Date.UTC(1, 0, 1), max: 253_402_300_799_999 });
  fc.assert(
    fc.property(instant, (ms) => {
      expect(parseInstant(formatInstant(ms))).toBe(ms);
    }),
  );
});

test('whole seconds are printed without a fraction', () => {
  expect(formatInstant(0)).toBe('1970-01-01T00:00:00Z');
  expect(formatInstant(5)).toBe('1970-01-01T00:00:00.005Z');
});
