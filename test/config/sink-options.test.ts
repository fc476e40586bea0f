// What must hold between the options about a collector.
import { expect, test } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';

const parse = (flags: Record<string, string>) =>
  parseOptions({ flags: { policy: 'policy.yaml', ...flags }, env: {}, suggest: () => undefined, instance: 'a' });
const notUrl = '--decision-log-otlp-url is not a URL such as http://localhost:4318/v1/logs';

test.for([
  { flags: { decisionLogOtlpHeaders: 'file' }, says: '--decision-log-otlp-headers needs --decision-log=otlp' },
  { flags: { decisionLogOtlpCa: 'file' }, says: '--decision-log-otlp-ca needs --decision-log=otlp' },
  {
    flags: { decisionLog: 'otlp', decisionLogOtlpCa: 'file' },
    says: '--decision-log-otlp-ca needs --decision-log-otlp-url with https://',
  },
  { flags: { decisionLog: 'otlp', decisionLogOtlpUrl: 'localhost:4318' }, says: notUrl },
  { flags: { decisionLog: 'otlp', decisionLogOtlpUrl: 'grpc://localhost:4317' }, says: notUrl },
  { flags: { decisionLog: 'otlp', decisionLogOtlpUrl: 'http://user:pass@localhost/v1/logs' }, says: notUrl },
] as { flags: Record<string, string>; says: string }[])('$flags is refused', ({ flags, says }) => {
  expect(() => parse(flags)).toThrow(`an option is wrong:\n  ${says}`);
});

test('a collector over TLS, with authorities and headers, is accepted', () => {
  const flags = {
    decisionLog: 'otlp',
    decisionLogOtlpUrl: 'https://collector.example/v1/logs',
    decisionLogOtlpCa: 'ca.pem',
    decisionLogOtlpHeaders: 'headers',
  };
  expect(parse(flags)).toMatchObject(flags);
});
