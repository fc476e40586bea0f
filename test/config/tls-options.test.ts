// Options of TLS that need each other.
import { expect, test } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';

function problemsOf(flags: Readonly<Record<string, unknown>>): string {
  try {
    parseOptions({ flags: { policy: 'p.yaml', ...flags }, env: {}, suggest: () => undefined, instance: 'i' });
    return '';
  } catch (error) {
    return String(error);
  }
}

test.for<[Readonly<Record<string, unknown>>, readonly string[]]>([
  [{ tlsCert: 'c' }, ['--tls-cert needs --tls-key']],
  [{ tlsKey: 'k' }, ['--tls-key needs --tls-cert']],
  [{ tlsClientCa: 'a' }, ['--tls-client-ca needs --tls-cert']],
  [
    { tlsCert: 'c', tlsRequireClientCert: true },
    ['--tls-cert needs --tls-key', '--tls-require-client-cert needs --tls-client-ca'],
  ],
])('%j is refused, and every option that is missing is named', ([flags, messages]) => {
  const problems = problemsOf(flags);
  expect(
    problems
      .split('\n')
      .slice(1)
      .map((line) => line.trim()),
  ).toEqual(messages);
});

test.for<[Readonly<Record<string, unknown>>]>([
  [{}],
  [{ tlsCert: 'c', tlsKey: 'k' }],
  [{ tlsCert: 'c', tlsKey: 'k', tlsClientCa: 'a' }],
  [{ tlsCert: 'c', tlsKey: 'k', tlsClientCa: 'a', tlsRequireClientCert: true }],
])('%j is legal', ([flags]) => {
  expect(problemsOf(flags)).toBe('');
});
