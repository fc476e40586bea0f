// What a call shows, read off the transport: names of certificates in Node's own words, which an attacker may write.
import { X509Certificate } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAltNames, toCredentials } from '../../../src/server/grpc/credentials.ts';
import { createCertificate } from '../../authn/x509.ts';

const authority = createCertificate({ name: 'authority' });

function altNamesOf(sanUris: readonly string[], sanDns: readonly string[]): string {
  const { cert } = createCertificate({ name: 'leaf', issuer: authority, sanUris, sanDns });
  return new X509Certificate(cert).subjectAltName ?? '';
}

describe('names of a certificate', () => {
  test('are read as they were written, whatever they hold', () => {
    const ascii = fc.string({ unit: fc.constantFrom(...'aZ0:/,. "\'\\*=\t%'), minLength: 1, maxLength: 20 });
    const tricky = fc.constantFrom('a, URI:spiffe://admin', '"', '\\', 'x", URI:"y', 'DNS:a', 'a,b', ', ', ' ');
    fc.assert(
      fc.property(fc.array(fc.oneof(ascii, tricky), { maxLength: 4 }), ascii, (uris, dns) => {
        const names = parseAltNames(altNamesOf(uris, [dns]));
        expect(names.filter(([kind]) => kind === 'URI').map(([, value]) => value)).toEqual(uris);
        expect(names.filter(([kind]) => kind === 'DNS').map(([, value]) => value)).toEqual([dns]);
      }),
      { numRuns: 200 },
    );
  });

  test.for([
    ['', []],
    ['URI:a', [['URI', 'a']]],
    [
      'DNS:a, IP Address:127.0.0.1',
      [
        ['DNS', 'a'],
        ['IP Address', '127.0.0.1'],
      ],
    ],
    ['URI:"a\\u002c URI:b"', [['URI', 'a, URI:b']]],
    ['URI:"a" URI:b', []],
    ['URI:"a', []],
    ['URI:"\\x"', []],
    ['nonsense', []],
    ['URI:a, nonsense', []],
  ] as const)('%s are %j', ([text, names]) => {
    expect(parseAltNames(text)).toEqual(names);
  });
});

describe('a header', () => {
  const call = (...headers: readonly string[]) => {
    const metadata = new Metadata();
    for (const header of headers) metadata.add('authorization', header);
    return { metadata, getAuthContext: () => ({}) };
  };

  test('is taken as it is, and two are joined so that they are refused', () => {
    expect(toCredentials(call())).toEqual({ authorization: undefined, certificate: undefined });
    expect(toCredentials(call('')).authorization).toBe('');
    expect(toCredentials(call('Bearer a')).authorization).toBe('Bearer a');
    expect(toCredentials(call('Bearer a', 'Bearer b')).authorization).toBe('Bearer a, Bearer b');
  });
});
