// Replies to scans, cut anywhere: what a socket delivers has no respect for what belongs together.
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BulkScan, type Scan } from '../../../../src/store/redis/bulk/scan-replies.ts';
import { seed } from '../../../setup/seed.ts';

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const replyOf = (cursor: string, words: readonly string[]) =>
  `*2\r\n${bulk(cursor)}*${words.length}\r\n${words.map(bulk).join('')}`;

/** A server that answers every request with the next of these texts, in pieces of these lengths. */
function serverOf(replies: readonly string[], pieces: readonly number[]): { stream: Duplex; requests: string[] } {
  const requests: string[] = [];
  let piece = 0;
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      requests.push(
        String(chunk)
          .split('\r\n')
          .filter((_, i) => i % 2 === 0 && i > 0)
          .join(' ')
          .trim(),
      );
      const reply = Buffer.from(replies[requests.length - 1] ?? '');
      for (let at = 0; at < reply.length; ) {
        const length = pieces[piece++ % pieces.length] as number;
        stream.push(reply.subarray(at, at + length));
        at += length;
      }
      done();
    },
  });
  return { stream, requests };
}

function collecting(kind: Scan['kind'], into: string[]): Scan {
  return {
    kind,
    key: `key:${kind}`,
    onPair: (bytes, fieldStart, fieldEnd, valueStart, valueEnd) => {
      const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString();
      into.push(`${kind} ${text(fieldStart, fieldEnd)}=${text(valueStart, valueEnd)}`);
    },
  };
}

describe('scans', () => {
  test('hand over every pair once, however the replies are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { maxLength: 5 }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (pages, pieces) => {
          const replies = pages.map((page, i) => replyOf(i + 1 === pages.length ? '0' : String(i + 1), page.flat()));
          const { stream, requests } = serverOf(replies, pieces);
          const found: string[] = [];
          await new BulkScan(stream, 5_000).run([collecting('object', found)]);
          expect(found).toEqual(pages.flat().map(([field, value]) => `object ${field}=${value}`));
          expect(requests.map((request) => request.split(' ')[2])).toEqual(pages.map((_, i) => String(i)));
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  test('of several hashes go on side by side', async () => {
    const { stream, requests } = serverOf(
      [replyOf('7', ['a', '1']), replyOf('0', ['x', '9']), replyOf('0', ['b', '2'])],
      [3],
    );
    const found: string[] = [];
    await new BulkScan(stream, 5_000).run([collecting('object', found), collecting('member', found)]);
    expect(found).toEqual(['object a=1', 'member x=9', 'object b=2']);
    expect(requests).toEqual([
      'HSCAN key:object 0 COUNT 500',
      'HSCAN key:member 0 COUNT 500',
      'HSCAN key:object 7 COUNT 500',
    ]);
  });

  test.each([
    ['an error', '-WRONGTYPE Operation against a key\r\n', /^WRONGTYPE Operation/],
    ['an error inside of a reply', '*2\r\n-LOADING Redis is loading\r\n', /^LOADING/],
    ['what is no reply', ':1\r\n', /is not one/],
    ['a length that is no number', '*2\r\n$x\r\n', /is not one/],
  ])('end with %s', async (_, reply, message) => {
    const { stream } = serverOf([reply], [4]);
    await expect(new BulkScan(stream, 5_000).run([collecting('object', [])])).rejects.toThrow(message);
  });

  test('end where the connection does', async () => {
    const { stream } = serverOf(['*2\r\n$1\r\n0\r\n*2\r\n$1\r\n'], [4]);
    const ended = new BulkScan(stream, 5_000).run([collecting('object', [])]);
    stream.destroy();
    await expect(ended).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  test('end where a record is refused', async () => {
    const { stream } = serverOf([replyOf('0', ['a', '1'])], [4]);
    const refusing: Scan = {
      kind: 'object',
      key: 'k',
      onPair: () => {
        throw new Error('refused');
      },
    };
    await expect(new BulkScan(stream, 5_000).run([refusing])).rejects.toThrow('refused');
  });
});
