import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldProblem } from '../../src/model/errors.ts';
import { PosternError } from '../../src/model/errors.ts';
import { fitTrailer } from '../../src/server/fit-trailer.ts';
import { toServiceError } from '../../src/server/grpc/errors.ts';

const log = { info: () => undefined, error: () => undefined };
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3_000 }),
  fc.constantFrom('', '%'.repeat(5_000), '\u{1f600}'.repeat(2_000), 'ü\ud800'.repeat(900), 'line\n'.repeat(400), 'a b'),
);
const problem = fc.record({ field: text, message: text });

/** Bytes of the two headers that a failure is sent in. */
function trailerBytes(error: PosternError): number {
  const { details, metadata } = toServiceError(error, log);
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  return encodeURI(details ?? '').length + (bytes as Buffer).toString('base64').length;
}

function problemsOf(count: number): FieldProblem[] {
  return Array.from({ length: count }, (_, i) => ({ field: `changes[${i}]`, message: 'is wrong' }));
}

describe('a failure', () => {
  it('of any size fits into the trailer of a call', () => {
    const metadata = fc.record({ field: text, limit: fc.constant('10') });
    fc.assert(
      fc.property(text, metadata, fc.array(problem, { maxLength: 40 }), (message, about, problems) => {
        const error = new PosternError('INVALID_REQUEST', message, about, undefined, problems);
        expect(trailerBytes(error)).toBeLessThan(6 * 1024 - 100);
      }),
      { numRuns: 300 },
    );
  });

  it('that is small is sent as it is', () => {
    const told = { message: 'subject "x" has no colon', metadata: { field: 'subject' }, problems: [] };
    expect(fitTrailer(told)).toEqual(told);
  });

  it('tells a few problems in lines, and how many there are', () => {
    const sent = fitTrailer({ message: '2 problems', metadata: {}, problems: problemsOf(2) });
    expect(sent.message).toBe('2 problems\nchanges[0] is wrong\nchanges[1] is wrong');
    expect(sent.metadata).toEqual({ problems: '2' });
    expect(sent.problems).toHaveLength(2);
  });

  it('tells 20 of many problems in lines, more beside them, and counts all', () => {
    const sent = fitTrailer({ message: 'many', metadata: { problems: '123456' }, problems: problemsOf(10_000) });
    const lines = sent.message.split('\n');
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe('... and 123436 more');
    expect(sent.metadata.problems).toBe('123456');
    expect(sent.problems.length).toBeGreaterThan(50);
  });

  it('does not say again what its message says', () => {
    const alone = { message: 'a is wrong', metadata: {}, problems: [{ field: 'a', message: 'is wrong' }] };
    expect(fitTrailer(alone).message).toBe('a is wrong');
    const lines = { message: '2 problems\nthis\nand that', metadata: {}, problems: problemsOf(2) };
    expect(fitTrailer(lines).message).toBe(lines.message);
  });
});
